/* include/swiftseg.h: the kernels with their tables worked out here, for programs without Python.
 *
 * The tables are those of bilinear.py and taps.py: the same operations in the same order, so that
 * every weight is the same to the last bit. */

#include "swiftseg.h"

#include <math.h>
#include <stdlib.h>

#include "machine.h"
#include "resize.h"
#include "upsample_argmax.h"

#define LARGEST_SIDE (1 << 24) /* above it float32 does not count pixels one by one */

static int is_size(SwiftsegSize size)
{
    return size.height >= 1 && size.height <= LARGEST_SIDE && size.width >= 1 &&
           size.width <= LARGEST_SIDE;
}

/* ---- frames ---- */

static void drop_taps(Taps *taps)
{
    free((void *)taps->first);
    free((void *)taps->count);
    free((void *)taps->weights);
}

/* Works out the weights of one output element: a triangle around `center`, in fixed point. */
static void fill_weights(double center, double reach, int32_t first, int32_t count,
                         double *triangle, int32_t *weights)
{
    double sum = 0;
    for (int32_t k = 0; k < count; k++) {
        double distance = fabs(((double)(k + first) - center + 0.5) * (1 / reach));
        triangle[k] = 1 - distance > 0 ? 1 - distance : 0;
        sum += triangle[k];
    }
    for (int32_t k = 0; k < count; k++)
        weights[k] = (int32_t)(triangle[k] / sum * (1 << FRACTION_BITS) + 0.5);
}

static int make_taps(int64_t in_size, int64_t out_size, Taps *taps)
{
    double scale = (double)in_size / (double)out_size, reach = scale > 1 ? scale : 1;
    int64_t most = 2 * (int64_t)ceil(reach) + 1;
    int32_t *first = malloc((size_t)out_size * sizeof *first);
    int32_t *count = malloc((size_t)out_size * sizeof *count);
    int32_t *weights = calloc((size_t)out_size, (size_t)most * sizeof *weights);
    double *triangle = malloc((size_t)most * sizeof *triangle);
    *taps = (Taps){first, count, weights, most};
    if (!first || !count || !weights || !triangle) {
        free(triangle);
        return 0;
    }
    for (int64_t i = 0; i < out_size; i++) {
        double center = ((double)i + 0.5) * scale;
        int64_t start = (int64_t)(center - reach + 0.5), end = (int64_t)(center + reach + 0.5);
        first[i] = (int32_t)(start < 0 ? 0 : start);
        count[i] = (int32_t)(end > in_size ? in_size : end) - first[i];
        fill_weights(center, reach, first[i], count[i], triangle, weights + i * most);
    }
    free(triangle);
    return 1;
}

int swiftseg_resize_frame(const uint8_t *frame, SwiftsegSize size, uint8_t *resized,
                          SwiftsegSize new_size)
{
    if (!is_size(size) || !is_size(new_size))
        return SWIFTSEG_BAD_SIZE;
    ResizeRequest request = {
        .in = frame,
        .out = resized,
        .in_h = size.height,
        .in_w = size.width,
        .out_h = new_size.height,
        .out_w = new_size.width,
        .instruction_set = -1,
    };
    int made = make_taps(size.height, new_size.height, &request.rows);
    made &= make_taps(size.width, new_size.width, &request.columns);
    int status = made ? swiftseg_resize(&request) : STATUS_NO_MEMORY;
    drop_taps(&request.rows);
    drop_taps(&request.columns);
    return status;
}

/* ---- labels ---- */

static void drop_axis(Axis *axis)
{
    free((void *)axis->first);
    free((void *)axis->second);
    free((void *)axis->first_weight);
    free((void *)axis->second_weight);
}

/* Where output element `i` lies among the inputs, at least 0. */
static float source_of(int64_t i, int64_t in_size, int64_t out_size, int upsampling)
{
    if (upsampling == SWIFTSEG_ALIGN_CORNERS) {
        float step = out_size > 1 ? (float)(in_size - 1) / (float)(out_size - 1) : 0;
        return step * (float)i;
    }
    float step = (float)in_size / (float)out_size;
    float source = step * ((float)i + 0.5f) - 0.5f;
    return source > 0 ? source : 0;
}

static int make_axis(int64_t in_size, int64_t out_size, int upsampling, Axis *axis)
{
    size_t size = (size_t)out_size;
    int32_t *first = malloc(size * sizeof *first), *second = malloc(size * sizeof *second);
    float *first_weight = malloc(size * sizeof *first_weight);
    float *second_weight = malloc(size * sizeof *second_weight);
    *axis = (Axis){first, second, first_weight, second_weight};
    if (!first || !second || !first_weight || !second_weight)
        return 0;
    for (int64_t i = 0; i < out_size; i++) {
        int32_t last = (int32_t)in_size - 1;
        float source = in_size == out_size ? (float)i : source_of(i, in_size, out_size, upsampling);
        first[i] = (int32_t)source < last ? (int32_t)source : last;
        second[i] = in_size == out_size || first[i] == last ? first[i] : first[i] + 1;
        float beyond = source - (float)first[i];
        second_weight[i] = beyond > 1 ? 1 : beyond;
        first_weight[i] = 1 - second_weight[i];
    }
    return 1;
}

int swiftseg_label_scores(const float *scores, int64_t classes, SwiftsegSize size, int upsampling,
                          uint8_t *labels, SwiftsegSize labels_size, int threads)
{
    int same = size.height == labels_size.height && size.width == labels_size.width;
    if (!is_size(size) || !is_size(labels_size) || classes < 1 || classes > 256 ||
        (upsampling == SWIFTSEG_AS_THEY_ARE && !same))
        return SWIFTSEG_BAD_SIZE;
    int64_t plane = size.height * size.width;
    Request request = {
        .scores = scores,
        .strides = {classes * plane, plane, size.width, 1},
        .batch = 1,
        .classes = classes,
        .in_h = size.height,
        .in_w = size.width,
        .out_h = labels_size.height,
        .out_w = labels_size.width,
        .labels = labels,
        .label_bytes = 1,
        .threads = threads,
        .instruction_set = -1,
        .strategy = STRATEGY_CHEAPER,
    };
    int made = 1;
    if (upsampling != SWIFTSEG_AS_THEY_ARE) {
        made &= make_axis(size.height, labels_size.height, upsampling, &request.rows);
        made &= make_axis(size.width, labels_size.width, upsampling, &request.columns);
    }
    int status = made ? swiftseg_upsample_argmax(&request) : STATUS_NO_MEMORY;
    drop_axis(&request.rows);
    drop_axis(&request.columns);
    return status;
}

/* Which input element each output element takes, as Pillow steps: by adding, not multiplying. */
static void nearest(int64_t in_size, int64_t out_size, int32_t *from)
{
    double step = (double)in_size / (double)out_size, at = step * 0.5;
    for (int64_t i = 0; i < out_size; i++, at += step)
        from[i] = (int32_t)(at < (double)in_size ? at : (double)(in_size - 1));
}

int swiftseg_restore_labels(const uint8_t *labels, SwiftsegSize size, uint8_t *restored,
                            SwiftsegSize new_size)
{
    if (!is_size(size) || !is_size(new_size))
        return SWIFTSEG_BAD_SIZE;
    int32_t *rows = malloc((size_t)new_size.height * sizeof *rows);
    int32_t *columns = malloc((size_t)new_size.width * sizeof *columns);
    int made = rows && columns;
    if (made) {
        nearest(size.height, new_size.height, rows);
        nearest(size.width, new_size.width, columns);
        for (int64_t y = 0; y < new_size.height; y++)
            for (int64_t x = 0; x < new_size.width; x++)
                restored[y * new_size.width + x] = labels[rows[y] * size.width + columns[x]];
    }
    free(rows);
    free(columns);
    return made ? SWIFTSEG_DONE : SWIFTSEG_NO_MEMORY;
}
