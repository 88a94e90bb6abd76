/* Runs the kernels on cases from a file, in every instruction set of the machine.
 *
 *     run_cases CASES
 *
 * tests/support/kernel_cases.py writes the file and tells its layout; numbers are little-endian, as
 * on every machine this runs on. Every array has exactly the memory it needs, so that a sanitizer
 * sees a byte too far. Ends with the number of results that are other than expected. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resize.h"
#include "swiftseg.h"
#include "upsample_argmax.h"

#define UNTOUCHED 0xEE

static int results, failures;

static void *fetch(FILE *file, int64_t bytes)
{
    void *memory = malloc(bytes ? (size_t)bytes : 1);
    if (!memory || fread(memory, 1, (size_t)bytes, file) != (size_t)bytes) {
        fputs("the file of cases ends too early\n", stderr);
        exit(2);
    }
    return memory;
}

static void compare(int number, const char *what, int status, const uint8_t *got,
                    const uint8_t *expected, int64_t bytes)
{
    int64_t others = 0;
    for (int64_t i = 0; i < bytes; i++)
        others += got[i] != expected[i];
    results++;
    if (status == STATUS_DONE && !others)
        return;
    failures++;
    fprintf(stderr, "case %d, %s: status %d, %lld of %lld bytes differ\n", number, what, status,
            (long long)others, (long long)bytes);
}

static Axis fetch_axis(FILE *file, int64_t size)
{
    Axis axis;
    axis.first = fetch(file, size * 4);
    axis.second = fetch(file, size * 4);
    axis.first_weight = fetch(file, size * 4);
    axis.second_weight = fetch(file, size * 4);
    return axis;
}

static void drop_axis(Axis axis)
{
    free((void *)axis.first);
    free((void *)axis.second);
    free((void *)axis.first_weight);
    free((void *)axis.second_weight);
}

static void run_labels(int number, Request request, const uint8_t *expected, int64_t bytes)
{
    const char *strategies[] = {"cheaper", "dense", "pruned"};
    char what[80];
    for (int set = 0; set <= swiftseg_best_instruction_set(); set++)
        for (int strategy = 0; strategy < 3; strategy++)
            for (int threads = 1; threads <= 3; threads += 2) {
                request.labels = malloc((size_t)bytes);
                memset(request.labels, UNTOUCHED, (size_t)bytes);
                request.instruction_set = set;
                request.strategy = strategy;
                request.threads = threads;
                snprintf(what, sizeof what, "instruction set %d, %s, %d threads", set,
                         strategies[strategy], threads);
                int status = swiftseg_upsample_argmax(&request);
                compare(number, what, status, request.labels, expected, bytes);
                free(request.labels);
            }
}

/* The same by the public function, where it takes such scores: dense, and 256 classes at most. */
static void run_public_labels(int number, const Request *request, int upsampling,
                              const uint8_t *expected)
{
    int64_t plane = request->in_h * request->in_w, labels_plane = request->out_h * request->out_w;
    if (request->label_bytes != 1 || request->strides[3] != 1 || request->strides[1] != plane)
        return;
    SwiftsegSize size = {request->in_h, request->in_w};
    SwiftsegSize labels_size = {request->out_h, request->out_w};
    for (int64_t image = 0; image < request->batch; image++) {
        uint8_t *labels = malloc((size_t)labels_plane);
        int status = swiftseg_label_scores(request->scores + image * request->strides[0],
                                           request->classes, size, upsampling, labels, labels_size,
                                           2);
        compare(number, "swiftseg_label_scores", status, labels, expected + image * labels_plane,
                labels_plane);
        free(labels);
    }
}

static void labels_case(int number, FILE *file)
{
    int64_t *sizes = fetch(file, 8 * 13);
    Request request = {.batch = sizes[0], .classes = sizes[1], .in_h = sizes[2], .in_w = sizes[3],
                       .out_h = sizes[4], .out_w = sizes[5], .label_bytes = (int32_t)sizes[6]};
    int upsampling = (int)sizes[7];
    memcpy(request.strides, sizes + 8, 4 * 8);
    float *scores = fetch(file, sizes[12] * 4);
    request.scores = scores;
    if (upsampling != SWIFTSEG_AS_THEY_ARE) {
        request.rows = fetch_axis(file, request.out_h);
        request.columns = fetch_axis(file, request.out_w);
    }
    int64_t bytes = request.batch * request.out_h * request.out_w * request.label_bytes;
    uint8_t *expected = fetch(file, bytes);
    run_labels(number, request, expected, bytes);
    run_public_labels(number, &request, upsampling, expected);
    free(expected);
    drop_axis(request.rows);
    drop_axis(request.columns);
    free(scores);
    free(sizes);
}

static Taps fetch_taps(FILE *file, int64_t size, int64_t most)
{
    Taps taps = {.most = most};
    taps.first = fetch(file, size * 4);
    taps.count = fetch(file, size * 4);
    taps.weights = fetch(file, size * most * 4);
    return taps;
}

static void drop_taps(Taps taps)
{
    free((void *)taps.first);
    free((void *)taps.count);
    free((void *)taps.weights);
}

static void resize_case(int number, FILE *file)
{
    int64_t *sizes = fetch(file, 8 * 6);
    ResizeRequest request = {.in_h = sizes[0], .in_w = sizes[1], .out_h = sizes[2],
                             .out_w = sizes[3]};
    SwiftsegSize size = {sizes[0], sizes[1]}, new_size = {sizes[2], sizes[3]};
    int64_t bytes = sizes[2] * sizes[3] * 3;
    uint8_t *frame = fetch(file, sizes[0] * sizes[1] * 3);
    request.in = frame;
    request.rows = fetch_taps(file, sizes[2], sizes[4]);
    request.columns = fetch_taps(file, sizes[3], sizes[5]);
    uint8_t *expected = fetch(file, bytes), *expected_labels = fetch(file, sizes[2] * sizes[3]);
    uint8_t *got = malloc((size_t)bytes);
    char what[40];
    for (int set = 0; set <= swiftseg_best_instruction_set(); set++) {
        memset(got, UNTOUCHED, (size_t)bytes);
        request.out = got;
        request.instruction_set = set;
        snprintf(what, sizeof what, "resized, instruction set %d", set);
        compare(number, what, swiftseg_resize(&request), got, expected, bytes);
    }
    int status = swiftseg_resize_frame(frame, size, got, new_size);
    compare(number, "swiftseg_resize_frame", status, got, expected, bytes);
    /* The frame's first third, taken for labels. */
    status = swiftseg_restore_labels(frame, size, got, new_size);
    compare(number, "swiftseg_restore_labels", status, got, expected_labels, sizes[2] * sizes[3]);
    free(got);
    free(expected_labels);
    free(expected);
    drop_taps(request.rows);
    drop_taps(request.columns);
    free(frame);
    free(sizes);
}

int main(int count, char **arguments)
{
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    if (!file) {
        fputs("expected the file of cases\n", stderr);
        return 2;
    }
    int kind, number = 0;
    for (; (kind = getc(file)) != EOF; number++) {
        if (kind == 'L')
            labels_case(number, file);
        else
            resize_case(number, file);
    }
    fclose(file);
    printf("%d cases, %d results, %d others\n", number, results, failures);
    return failures ? 1 : 0;
}
