/* The kernel itself, written in the operations of lanes.h; included once for each instruction set.
 *
 * Output rows that read the same two rows of scores are worked off together. Between two rows lie
 * cells of four neighboring scores. A class that is above another at all four corners by more than
 * rounding can undo is above it everywhere between them, so that most cells need no evaluation. The
 * others are evaluated over the classes that no such class excludes; where many of them are, the
 * whole row is evaluated densely, which takes longer vectors.
 *
 * Every value is fma(t0, h0, t1 * h1) with t = fma(a, w0, b * w1): bit for bit what torch gives.
 */

#define INLINE static inline __attribute__((always_inline)) TARGET

/* Copies one class's row; gives whether all of it is within FINE_LIMIT. */
INLINE int NAME(copy)(const float *from, int64_t step, int64_t size, float *to)
{
    M fine = AT_MOST(SPLAT(0.0f), SPLAT(0.0f));
    unsigned all = BITS(fine);
    int64_t x = 0;
    for (; step == 1 && x + L <= size; x += L) {
        F scores = LOAD(from + x);
        STORE(to + x, scores);
        fine = AND(fine, AT_MOST(ABS(scores), SPLAT(FINE_LIMIT)));
    }
    int rest = 1;
    for (; x < size; x++) {
        to[x] = from[x * step];
        rest &= __builtin_fabsf(to[x]) <= FINE_LIMIT;
    }
    return rest && BITS(fine) == all;
}

/* Gives a row of scores, from `scratch` where it is known; `keep` is not replaced.
 *
 * It is copied: the classes' planes lie a power of two apart more often than not, and rows that are
 * would push each other out of the caches. */
static TARGET SourceRow *NAME(fetch)(const Job *job, Scratch *scratch, int64_t image, int64_t row,
                                     const SourceRow *keep)
{
    const Request *request = &job->request;
    int64_t id = image * request->in_h + row;
    SourceRow *source = scratch->source;
    if (source[0].id == id || source[1].id == id)
        return &source[source[1].id == id];
    source += source == keep;
    const float *from =
        request->scores + image * request->strides[0] + row * request->strides[2];
    source->id = id;
    source->fine = 1;
    for (int64_t c = 0; c < request->classes; c++)
        source->fine &= NAME(copy)(from + c * request->strides[1], request->strides[3],
                                   request->in_w, source->at + c * job->in_step);
    return source;
}

INLINE void NAME(store)(void *labels, int bytes, int64_t at, int64_t count, I index)
{
    uint16_t staged[MAX_LANES];
    if (bytes == 1) {
        if (count >= L) {
            STORE_8((uint8_t *)labels + at, index);
            return;
        }
        STORE_8((uint8_t *)staged, index);
    } else {
        if (count >= L) {
            STORE_16((uint16_t *)labels + at, index);
            return;
        }
        STORE_16(staged, index);
    }
    memcpy((uint8_t *)labels + at * bytes, staged, (size_t)(count * bytes));
}

/* Lets one class compete for `rows` output rows of L columns. */
INLINE void NAME(compete)(F top, F bottom, const float *top_weight, const float *bottom_weight,
                          int rows, I class, F *best, I *index)
{
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        F value = FMA(top, SPLAT(top_weight[r]), MUL(bottom, SPLAT(bottom_weight[r])));
        M wins = ABOVE(value, best[r]); /* not where equal: the first class of equals stays */
        best[r] = MAX(value, best[r]);
        index[r] = PICK_I(wins, class, index[r]);
    }
}

#include "dense.h"
#include "one_by_one.h"
#include "pruned.h"

static TARGET int64_t NAME(upsample)(const Job *job, Scratch *scratch, int64_t start, int64_t end)
{
    const Request *request = &job->request;
    int64_t evaluated = 0, cells = request->in_w - 1;
    for (int64_t r = start; r < end; r++) {
        const Run *run = job->rows + r % job->num_rows;
        int64_t image = r / job->num_rows;
        SourceRow *top = NAME(fetch)(job, scratch, image, run->first, NULL);
        SourceRow *bottom = NAME(fetch)(job, scratch, image, run->second, top);
        if (!top->fine || !bottom->fine) {
            evaluated += NAME(one_by_one)(job, top, bottom, image, run);
            continue;
        }
        /* A candidate of a cell costs some vectors, each a class's share of a dense row. */
        int64_t width = request->out_w / job->num_columns, vectors = (width + L - 1) / L;
        int64_t limit = request->classes * cells * width / (2 * vectors * L) + 1;
        if (request->strategy == STRATEGY_PRUNED)
            limit = INT64_MAX;
        int look = cells >= L && request->strategy != STRATEGY_DENSE && scratch->unseen <= 0;
        if (look && NAME(list_candidates)(job, scratch, top, bottom, limit) <= limit) {
            evaluated += NAME(pruned)(job, scratch, top, bottom, image, run);
            scratch->streak = 0;
        } else {
            evaluated += NAME(dense)(job, top, bottom, image, run);
            /* Below a row that was not worth a look there are more such rows. */
            scratch->streak += look && scratch->streak < 3;
            scratch->unseen = look ? scratch->streak : scratch->unseen - 1;
        }
    }
    return evaluated;
}

#include "argmax.h"

#undef INLINE
