/* A frame of another size, each of its pixels an average over the pixels that it covers. */
#ifndef SWIFTSEG_RESIZE_H
#define SWIFTSEG_RESIZE_H

#include <stdint.h>

#define FRACTION_BITS 22

/* Along one axis, output element i is the sum over k < count[i] of weights[i * most + k] *
 * in[first[i] + k]. The weights of an element are at least 0 and add up to 1 << FRACTION_BITS, give
 * or take `most`; `first` never decreases. */
typedef struct {
    const int32_t *first, *count, *weights;
    int64_t most;
} Taps;

typedef struct {
    const uint8_t *in; /* (in_h, in_w, 3), contiguous */
    uint8_t *out;      /* (out_h, out_w, 3), contiguous */
    int64_t in_h, in_w, out_h, out_w;
    Taps rows, columns;
    int32_t instruction_set; /* one of upsample_argmax.h, or -1 for the best there is */
} ResizeRequest;

/* Along the rows first, then along the columns, each result rounded to a byte. */
int swiftseg_resize(const ResizeRequest *request);

#endif
