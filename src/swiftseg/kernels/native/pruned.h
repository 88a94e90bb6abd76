/* Evaluates cell by cell, over the classes in question; part of rows.h. */

typedef struct {
    F corner[4];
} NAME(Corners);

INLINE NAME(Corners) NAME(corners)(const Job *job, const SourceRow *top, const SourceRow *bottom,
                                   int64_t c, int64_t cell)
{
    const float *a = top->at + c * job->in_step + cell;
    const float *b = bottom->at + c * job->in_step + cell;
    NAME(Corners) found = {{LOAD(a), LOAD(a + 1), LOAD(b), LOAD(b + 1)}};
    return found;
}

/* Of L cells, gives what the class that is highest at the center has at the corners, lowered by
 * what rounding can undo: a class at or below that at all corners loses everywhere between them.
 *
 * A value is computed within 4 units of 2^-24 of the sum of its weighted corners' magnitudes; the
 * 2^-18 of one corner cover both values' errors, the constant what underflows. */
INLINE NAME(Corners) NAME(bar)(const Job *job, const SourceRow *top, const SourceRow *bottom,
                               int64_t cell, I *highest)
{
    NAME(Corners) bar = NAME(corners)(job, top, bottom, 0, cell);
    F best = ADD(ADD(bar.corner[0], bar.corner[1]), ADD(bar.corner[2], bar.corner[3]));
    *highest = SPLAT_I(0);
    for (int32_t c = 1; c < job->request.classes; c++) {
        NAME(Corners) at = NAME(corners)(job, top, bottom, c, cell);
        F sum = ADD(ADD(at.corner[0], at.corner[1]), ADD(at.corner[2], at.corner[3]));
        M wins = ABOVE(sum, best);
        best = MAX(sum, best);
        *highest = PICK_I(wins, SPLAT_I(c), *highest);
        for (int i = 0; i < 4; i++)
            bar.corner[i] = PICK(wins, at.corner[i], bar.corner[i]);
    }
    for (int i = 0; i < 4; i++) {
        F margin = ADD(MUL(ABS(bar.corner[i]), SPLAT(0x1p-18f)), SPLAT(1e-36f));
        bar.corner[i] = SUB(bar.corner[i], margin);
    }
    return bar;
}

/* Notes for L cells, by class, which of them it is in question in; gives the cells with two. */
INLINE unsigned NAME(mark)(const Job *job, Scratch *scratch, const SourceRow *top,
                           const SourceRow *bottom, int64_t cell)
{
    I highest;
    NAME(Corners) bar = NAME(bar)(job, top, bottom, cell, &highest);
    unsigned all = BITS(AT_MOST(SPLAT(0.0f), SPLAT(0.0f))), once = 0, twice = 0;
    for (int64_t c = 0; c < job->request.classes; c++) {
        NAME(Corners) at = NAME(corners)(job, top, bottom, c, cell);
        M left = AND(AT_MOST(at.corner[0], bar.corner[0]), AT_MOST(at.corner[1], bar.corner[1]));
        M right = AND(AT_MOST(at.corner[2], bar.corner[2]), AT_MOST(at.corner[3], bar.corner[3]));
        unsigned in_question = all & ~BITS(AND(left, right));
        scratch->marks[c] = (uint16_t)in_question;
        twice |= once & in_question;
        once |= in_question;
    }
    STORE_I(scratch->highest + cell, highest);
    return twice;
}

/* Lists the classes in question of every cell between two rows, in their order; gives how many they
 * are in cells that have two, or something above `limit` once they are more than that. */
static TARGET int64_t NAME(list_candidates)(const Job *job, Scratch *scratch, const SourceRow *top,
                                            const SourceRow *bottom, int64_t limit)
{
    int64_t cells = job->request.in_w - 1, listed = 0;
    memset(scratch->counts, 0, (size_t)cells * sizeof *scratch->counts);
    for (int64_t next = 0; next < cells && listed <= limit; next += L) {
        int64_t cell = next + L <= cells ? next : cells - L;
        /* The last vector overlaps the one before it, whose cells have been listed. */
        unsigned mixed = NAME(mark)(job, scratch, top, bottom, cell) & (~0u << (next - cell));
        for (int64_t c = 0; mixed && c < job->request.classes; c++)
            listed += note(scratch, cell, scratch->marks[c] & mixed, (uint16_t)c);
    }
    return listed;
}

INLINE void NAME(cell_rows)(const Job *job, const SourceRow *top, const SourceRow *bottom,
                            int64_t image, int64_t y, int rows, const Run *run,
                            const uint16_t *candidates, int64_t count)
{
    const Request *request = &job->request;
    const float *top_weight = request->rows.first_weight + y;
    const float *bottom_weight = request->rows.second_weight + y;
    for (int64_t x = run->start; x < run->end; x += L) {
        F first = LOAD(job->column_weights[0] + x), second = LOAD(job->column_weights[1] + x);
        F best[8];
        I index[8];
        for (int r = 0; r < rows; r++) {
            best[r] = SPLAT(-__builtin_inff());
            index[r] = SPLAT_I(0);
        }
        for (int64_t i = 0; i < count; i++) {
            int32_t c = candidates ? candidates[i] : (int32_t)i;
            const float *a = top->at + c * job->in_step;
            const float *b = bottom->at + c * job->in_step;
            F above = FMA(SPLAT(a[run->first]), first, MUL(SPLAT(a[run->second]), second));
            F below = FMA(SPLAT(b[run->first]), first, MUL(SPLAT(b[run->second]), second));
            NAME(compete)(above, below, top_weight, bottom_weight, rows, SPLAT_I(c), best, index);
        }
        for (int r = 0; r < rows; r++)
            NAME(store)(request->labels, request->label_bytes,
                        (image * request->out_h + y + r) * request->out_w + x, run->end - x,
                        index[r]);
    }
}

static TARGET void NAME(mixed_cell)(const Job *job, const SourceRow *top, const SourceRow *bottom,
                                    int64_t image, const Run *row, const Run *column,
                                    const uint16_t *candidates, int64_t count)
{
    for (int64_t y = row->start; y < row->end;) {
        int64_t left = row->end - y;
        if (left >= 8 && ROWS >= 8) {
            NAME(cell_rows)(job, top, bottom, image, y, 8, column, candidates, count);
            y += 8;
        } else if (left >= 4) {
            NAME(cell_rows)(job, top, bottom, image, y, 4, column, candidates, count);
            y += 4;
        } else {
            NAME(cell_rows)(job, top, bottom, image, y, 1, column, candidates, count);
            y += 1;
        }
    }
}

/* Writes the highest class of every cell into all output rows of `row`. */
static void NAME(fill)(const Job *job, Scratch *scratch, int64_t image, const Run *row)
{
    const Request *request = &job->request;
    size_t line_bytes = (size_t)(request->out_w * request->label_bytes);
    for (const Run *run = job->columns; run < job->columns + job->num_columns; run++) {
        int64_t cell = run->first < request->in_w - 1 ? run->first : request->in_w - 2;
        uint16_t label = (uint16_t)scratch->highest[cell];
        if (request->label_bytes == 1)
            memset(scratch->line + run->start, label, (size_t)(run->end - run->start));
        else
            for (int64_t x = run->start; x < run->end; x++)
                ((uint16_t *)scratch->line)[x] = label;
    }
    uint8_t *labels = request->labels;
    for (int64_t y = row->start; y < row->end; y++)
        memcpy(labels + (image * request->out_h + y) * (int64_t)line_bytes, scratch->line,
               line_bytes);
}

static TARGET int64_t NAME(pruned)(const Job *job, Scratch *scratch, SourceRow *top,
                                   SourceRow *bottom, int64_t image, const Run *row)
{
    int64_t evaluated = 0;
    NAME(fill)(job, scratch, image, row);
    for (const Run *run = job->columns; run < job->columns + job->num_columns; run++) {
        /* The last column of scores has no cell of its own; it is the right side of the one before. */
        int64_t cell = run->first < job->request.in_w - 1 ? run->first : job->request.in_w - 2;
        int64_t count = scratch->counts[cell];
        const uint16_t *candidates = scratch->candidates + cell * MAX_CANDIDATES;
        if (count > MAX_CANDIDATES) {
            candidates = NULL;
            count = job->request.classes;
        }
        if (count > 1) {
            NAME(mixed_cell)(job, top, bottom, image, row, run, candidates, count);
            evaluated += count;
        }
    }
    return (evaluated + job->num_columns / L * job->request.classes) * (row->end - row->start + 1);
}

