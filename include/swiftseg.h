/* Pixels before and after a network, as swiftseg computes them in Python: the same bytes.
 *
 * Images are rows of pixels from the top, without padding. Sizes are from 1 to 16,777,216 pixels a
 * side. Nothing is kept between calls, and calls in several threads do not disturb each other.
 */
#ifndef SWIFTSEG_H
#define SWIFTSEG_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t height, width;
} SwiftsegSize;

enum { /* what every function returns */
    SWIFTSEG_DONE = 0,
    SWIFTSEG_NO_MEMORY = 1,
    SWIFTSEG_BAD_SIZE = 3 /* a size, or the number of classes, is out of range */
};

enum { /* how scores are brought to the size of the labels */
    SWIFTSEG_AS_THEY_ARE,  /* not at all: the sizes are the same */
    SWIFTSEG_HALF_PIXEL,   /* bilinear, the outer edges of the corner pixels meet */
    SWIFTSEG_ALIGN_CORNERS /* bilinear, the centers of the corner pixels meet */
};

/* Resize an RGB frame, bilinear, averaging where it shrinks: Pillow's BILINEAR, byte for byte.
 *
 * `frame` and `resized` are (height, width, 3). */
int swiftseg_resize_frame(const uint8_t *frame, SwiftsegSize size, uint8_t *resized,
                          SwiftsegSize new_size);

/* Write the class of the largest score at every pixel: torch's interpolate and argmax.
 *
 * `scores` is (classes, size.height, size.width), of 1 to 256 classes; `labels` has `labels_size`.
 * `upsampling` is one of those above. More than one of `threads` starts only where there is work. */
int swiftseg_label_scores(const float *scores, int64_t classes, SwiftsegSize size, int upsampling,
                          uint8_t *labels, SwiftsegSize labels_size, int threads);

/* Bring labels to another size by nearest neighbor: Pillow's NEAREST. */
int swiftseg_restore_labels(const uint8_t *labels, SwiftsegSize size, uint8_t *restored,
                            SwiftsegSize new_size);

#ifdef __cplusplus
}
#endif

#endif
