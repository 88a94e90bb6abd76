/* Memory, threads and the choice of instructions around the kernel of rows.h. */

#include "upsample_argmax.h"

#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "machine.h"

/* Vectors of scores that take longer than starting a thread, which is some ten microseconds. */
#define WORTH_A_THREAD 400000

static void put_label(const Request *request, int64_t at, int32_t label)
{
    if (request->label_bytes == 1)
        ((uint8_t *)request->labels)[at] = (uint8_t)label;
    else
        ((uint16_t *)request->labels)[at] = (uint16_t)label;
}

/* Adds class `c` to the lists of the cells behind `cell` that `lanes` names; gives how many. */
static inline int64_t note(Scratch *scratch, int64_t cell, unsigned lanes, uint16_t c)
{
    int64_t noted = 0;
    for (; lanes; lanes &= lanes - 1, noted++) {
        int64_t at = cell + __builtin_ctz(lanes);
        unsigned count = scratch->counts[at];
        if (count < MAX_CANDIDATES)
            scratch->candidates[at * MAX_CANDIDATES + count] = c;
        scratch->counts[at] = (uint16_t)(count + (count <= MAX_CANDIDATES));
    }
    return noted;
}

#define PASTE_(name, suffix) name##_##suffix
#define PASTE(name, suffix) PASTE_(name, suffix)
#define NAME(name) PASTE(name, INSTRUCTIONS)

#if defined(SWIFTSEG_X86)
#define LANES_SSE2
#define INSTRUCTIONS plain
#include "lanes.h"
#include "rows.h"
#undef LANES_SSE2
#undef INSTRUCTIONS
#define LANES_AVX2
#define INSTRUCTIONS avx2
#include "lanes.h"
#include "rows.h"
#undef LANES_AVX2
#undef INSTRUCTIONS
#define LANES_AVX512
#define INSTRUCTIONS avx512
#include "lanes.h"
#include "rows.h"
#else
#if defined(SWIFTSEG_NEON)
#define LANES_NEON
#else
#define LANES_SCALAR
#endif
#define INSTRUCTIONS plain
#include "lanes.h"
#include "rows.h"
#endif

int swiftseg_best_instruction_set(void)
{
#if defined(SWIFTSEG_X86)
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return INSTRUCTIONS_AVX512;
    if (avx2)
        return INSTRUCTIONS_AVX2;
#endif
    return INSTRUCTIONS_PLAIN;
}

static Process *process_for(const Request *request)
{
    int resizes = request->rows.first != NULL;
    int best = swiftseg_best_instruction_set(), asked = request->instruction_set;
    if (asked > best)
        return NULL;
#if defined(SWIFTSEG_X86)
    switch (asked < 0 ? best : asked) {
    case INSTRUCTIONS_AVX512:
        return resizes ? upsample_avx512 : argmax_avx512;
    case INSTRUCTIONS_AVX2:
        return resizes ? upsample_avx2 : argmax_avx2;
    }
#endif
    return resizes ? upsample_plain : argmax_plain;
}

/* ---- the tables of a call ---- */

static int64_t split_into_runs(const Axis *axis, int64_t size, Run *runs)
{
    int64_t count = 0;
    for (int32_t i = 0; i < size; i++) {
        Run *run = runs + count - 1;
        if (count && run->first == axis->first[i] && run->second == axis->second[i]) {
            run->end = i + 1;
            continue;
        }
        runs[count++] = (Run){i, i + 1, axis->first[i], axis->second[i]};
    }
    return count;
}

static float *padded(const float *weights, int64_t size)
{
    float *copy = calloc((size_t)size + MAX_LANES, sizeof *copy);
    if (copy)
        memcpy(copy, weights, (size_t)size * sizeof *copy);
    return copy;
}

/* The distance of rows of so many floats, one vector of slack included: an odd number of cache lines
 * of 64 bytes, so that rows do not compete for the same places of a cache. */
static int64_t apart(int64_t size)
{
    return ((size + 2 * MAX_LANES - 1) / MAX_LANES | 1) * MAX_LANES;
}

static int lay_out(Job *job)
{
    const Request *request = &job->request;
    int64_t rows = request->batch * request->out_h;
    if (request->rows.first) {
        job->rows = malloc((size_t)request->out_h * sizeof *job->rows);
        job->columns = malloc((size_t)request->out_w * sizeof *job->columns);
        job->column_weights[0] = padded(request->columns.first_weight, request->out_w);
        job->column_weights[1] = padded(request->columns.second_weight, request->out_w);
        if (!job->rows || !job->columns || !job->column_weights[0] || !job->column_weights[1])
            return 0;
        job->num_rows = split_into_runs(&request->rows, request->out_h, job->rows);
        job->num_columns = split_into_runs(&request->columns, request->out_w, job->columns);
        job->tile = SPREAD_FLOATS / 2 / request->classes / MAX_LANES * MAX_LANES;
        job->tile = job->tile < 2 * MAX_LANES ? 2 * MAX_LANES : job->tile;
        job->tile = job->tile > request->out_w ? request->out_w : job->tile;
        job->tile_step = apart(job->tile);
        job->in_step = apart(request->in_w);
        rows = request->batch * job->num_rows;
    }
    job->rows_per_block = rows / 16 < 1 ? 1 : rows / 16 > 8 ? 8 : rows / 16;
    job->blocks = (rows + job->rows_per_block - 1) / job->rows_per_block;
    return 1;
}

/* ---- the memory of a thread ---- */

static int make_scratch(const Job *job, Scratch *scratch)
{
    const Request *request = &job->request;
    size_t width = (size_t)request->in_w, classes = (size_t)request->classes;
    int made = 1;
    memset(scratch, 0, sizeof *scratch);
    if (!request->rows.first)
        return 1;
    for (SourceRow *source = scratch->source; source < scratch->source + 2; source++) {
        source->id = source->spread_id = -1;
        source->at = new_array(classes, (size_t)job->in_step * sizeof(float));
        source->spread = new_array(classes, (size_t)job->tile_step * sizeof(float));
        made &= source->at && source->spread;
    }
    scratch->marks = malloc(classes * sizeof(uint16_t));
    scratch->highest = malloc(width * sizeof(int32_t));
    scratch->counts = malloc(width * sizeof(uint16_t));
    scratch->candidates = malloc(width * MAX_CANDIDATES * sizeof(uint16_t));
    scratch->line = malloc((size_t)request->out_w * sizeof(uint16_t));
    return made && scratch->marks && scratch->highest && scratch->counts && scratch->candidates &&
           scratch->line;
}

static void drop_scratch(Scratch *scratch)
{
    for (SourceRow *source = scratch->source; source < scratch->source + 2; source++) {
        free(source->at);
        free(source->spread);
    }
    free(scratch->marks);
    free(scratch->highest);
    free(scratch->counts);
    free(scratch->candidates);
    free(scratch->line);
}

/* ---- the threads ----
 *
 * A thread lives as long as the call has blocks left. A pool would have to wait for the next call,
 * and whoever waits by spinning takes a core from the engine that computes the scores. */

static void release(Job *job)
{
    pthread_mutex_lock(&job->lock);
    int owners = --job->owners;
    pthread_mutex_unlock(&job->lock);
    if (owners)
        return;
    pthread_mutex_destroy(&job->lock);
    pthread_cond_destroy(&job->finished);
    free(job->rows);
    free(job->columns);
    free(job->column_weights[0]);
    free(job->column_weights[1]);
    free(job);
}

static void *help(void *job);

static void start_helpers(Job *job)
{
    for (int32_t i = 1; i < job->request.threads; i++) {
        pthread_t thread;
        pthread_mutex_lock(&job->lock);
        job->owners++;
        pthread_mutex_unlock(&job->lock);
        if (pthread_create(&thread, NULL, help, job)) {
            release(job); /* no more threads to be had; those there are do the work */
            return;
        }
        pthread_detach(thread); /* one that starts late finds nothing to do, and nobody waits */
    }
}

static void work(Job *job, int helpers)
{
    Scratch scratch;
    int made = make_scratch(job, &scratch);
    int64_t rows = job->request.batch * (job->rows ? job->num_rows : job->request.out_h), block;
    if (!made)
        atomic_store(&job->failed, 1);
    while ((block = atomic_fetch_add(&job->next_block, 1)) < job->blocks) {
        int64_t start = block * job->rows_per_block, end = start + job->rows_per_block;
        int64_t vectors = made ? job->process(job, &scratch, start, end < rows ? end : rows) : 0;
        if (helpers && vectors * (job->blocks - block - 1) > WORTH_A_THREAD) {
            start_helpers(job);
            helpers = 0;
        }
        pthread_mutex_lock(&job->lock);
        if (++job->blocks_done == job->blocks)
            pthread_cond_signal(&job->finished);
        pthread_mutex_unlock(&job->lock);
    }
    drop_scratch(&scratch);
}

static void *help(void *job)
{
    if (atomic_load(&((Job *)job)->next_block) < ((Job *)job)->blocks)
        work(job, 0);
    release(job);
    return NULL;
}

int swiftseg_upsample_argmax(const Request *request)
{
    Process *process = process_for(request);
    if (!process)
        return STATUS_NO_SUCH_INSTRUCTIONS;
    Job *job = calloc(1, sizeof *job);
    if (!job)
        return STATUS_NO_MEMORY;
    job->request = *request;
    job->process = process;
    job->owners = 1;
    pthread_mutex_init(&job->lock, NULL);
    pthread_cond_init(&job->finished, NULL);
    if (!lay_out(job)) {
        release(job);
        return STATUS_NO_MEMORY;
    }
    work(job, request->threads > 1);
    pthread_mutex_lock(&job->lock);
    while (job->blocks_done < job->blocks)
        pthread_cond_wait(&job->finished, &job->lock);
    pthread_mutex_unlock(&job->lock);
    int status = atomic_load(&job->failed) ? STATUS_NO_MEMORY : STATUS_DONE;
    release(job);
    return status;
}
