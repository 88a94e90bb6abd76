/* What the threads of one call share, and what each of them keeps for itself. */
#ifndef SWIFTSEG_JOB_H
#define SWIFTSEG_JOB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "upsample_argmax.h"

/* Of vectors' lanes, the most that any instruction set has; rows of floats are padded by so many. */
#define MAX_LANES 16

/* A cell with more classes in question than this is evaluated over all of them. */
#define MAX_CANDIDATES 16

/* A thread's interpolated rows stay within its core's second-level cache. */
#define SPREAD_FLOATS (96 * 1024)

/* Pixels whose running maxima stay in the first-level cache. */
#define SPAN 512

/* Scores below it in magnitude, and no NaN, can neither overflow nor turn into NaN on the way. */
#define FINE_LIMIT 1e38f

/* Consecutive output elements that read the same two inputs. */
typedef struct {
    int32_t start, end, first, second;
} Run;

typedef struct Job Job;
typedef struct Scratch Scratch;

/* Labels the output rows [start, end) of the runs of rows, over the whole batch; gives how many
 * vectors of scores it has evaluated. */
typedef int64_t Process(const Job *job, Scratch *scratch, int64_t start, int64_t end);

struct Job {
    Request request;
    Process *process;
    Run *rows, *columns;
    int64_t num_rows, num_columns;
    float *column_weights[2]; /* padded copies */
    int64_t tile;             /* output columns that are interpolated at a time */
    int64_t in_step, tile_step;

    int64_t blocks, rows_per_block;
    atomic_llong next_block;
    atomic_int failed;
    pthread_mutex_t lock;
    pthread_cond_t finished;
    int64_t blocks_done; /* under the lock, as is `owners` */
    int owners;
};

/* A copy of one row of the scores. */
typedef struct {
    int64_t id; /* image * in_h + row, -1 for none */
    int fine;      /* within FINE_LIMIT */
    float *at;     /* (classes, in_step) */
    float *spread; /* (classes, tile_step), interpolated along the row */
    int64_t spread_start, spread_id;
} SourceRow;

struct Scratch {
    SourceRow source[2];
    uint16_t *marks;      /* (classes), the cells of a vector that a class is in question in */
    int32_t *highest;     /* (in_w), by cell, the highest class at its center */
    uint16_t *counts;     /* (in_w), by cell; 0 for one class alone, MAX_CANDIDATES + 1 for many */
    uint16_t *candidates; /* (in_w, MAX_CANDIDATES) */
    int streak, unseen;   /* rows that were evaluated densely, and that shall be without a look */
    uint8_t *line;        /* one row of labels */
};

#endif
