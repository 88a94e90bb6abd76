/* The class of the largest score at every pixel, the scores interpolated bilinearly on the way.
 *
 * Nothing of the size (classes, out_h, out_w) is ever written. Needs libc and POSIX threads alone.
 */
#ifndef SWIFTSEG_UPSAMPLE_ARGMAX_H
#define SWIFTSEG_UPSAMPLE_ARGMAX_H

#include <stdint.h>

/* Along one axis, output element i is first_weight[i] * in[first[i]] + second_weight[i] *
 * in[second[i]]; `first` never decreases, and `second` is `first` or the one behind it. */
typedef struct {
    const int32_t *first, *second;
    const float *first_weight, *second_weight;
} Axis;

typedef struct {
    const float *scores;           /* (batch, classes, in_h, in_w) */
    int64_t strides[4];            /* in floats */
    int64_t batch, classes, in_h, in_w, out_h, out_w;
    Axis rows, columns;            /* all null: the scores have the labels' size already */
    void *labels;                  /* (batch, out_h, out_w), contiguous */
    int32_t label_bytes;           /* 1 or 2 */
    int32_t threads;               /* at most; a second one starts only where there is work for it */
    int32_t instruction_set;       /* one of those below, or -1 for the best there is */
    int32_t strategy;              /* one of those below */
} Request;

enum { INSTRUCTIONS_PLAIN, INSTRUCTIONS_AVX2, INSTRUCTIONS_AVX512 };
enum { STRATEGY_CHEAPER, STRATEGY_DENSE, STRATEGY_PRUNED };
enum { STATUS_DONE, STATUS_NO_MEMORY, STATUS_NO_SUCH_INSTRUCTIONS };

int swiftseg_upsample_argmax(const Request *request);
int swiftseg_best_instruction_set(void);

#endif
