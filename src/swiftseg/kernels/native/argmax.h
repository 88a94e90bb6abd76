/* Scores that have the labels' size already: nothing to interpolate; part of rows.h. */

static int32_t NAME(largest)(const float *scores, int64_t classes, int64_t step)
{
    int32_t label = 0;
    for (int32_t c = 1; c < classes && scores[label * step] == scores[label * step]; c++)
        if (!(scores[c * step] <= scores[label * step]))
            label = c;
    return label;
}

/* Finds the classes of `vectors` * L pixels, and tells whether no score was a NaN. */
static TARGET int NAME(argmax_span)(const float *scores, int64_t classes, int64_t step,
                                    int64_t vectors, float *best, int32_t *index)
{
    M valid = AT_MOST(SPLAT(0.0f), SPLAT(0.0f));
    unsigned all = BITS(valid);
    for (int64_t x = 0; x < vectors * L; x += L) {
        STORE(best + x, LOAD(scores + x));
        STORE_I(index + x, SPLAT_I(0));
        valid = AND(valid, AT_MOST(LOAD(scores + x), LOAD(scores + x)));
    }
    for (int32_t c = 1; c < classes; c++)
        for (int64_t x = 0; x < vectors * L; x += L) {
            F score = LOAD(scores + c * step + x), highest = LOAD(best + x);
            valid = AND(valid, AT_MOST(score, score));
            STORE(best + x, MAX(score, highest));
            STORE_I(index + x, PICK_I(ABOVE(score, highest), SPLAT_I(c), LOAD_I(index + x)));
        }
    return BITS(valid) == all;
}

/* Labels the rows [start, end) of the whole batch. */
static TARGET int64_t NAME(argmax)(const Job *job, Scratch *scratch, int64_t start, int64_t end)
{
    const Request *request = &job->request;
    int64_t step = request->strides[1], between = request->strides[3], width = request->out_w;
    (void)scratch;
    for (int64_t r = start; r < end; r++) {
        const float *row = request->scores + r / request->out_h * request->strides[0] +
                           r % request->out_h * request->strides[2];
        for (int64_t x = 0; x < width;) {
            int64_t left = width - x < SPAN ? width - x : SPAN, vectors = left / L;
            float best[SPAN];
            int32_t index[SPAN];
            if (between == 1 && vectors &&
                NAME(argmax_span)(row + x, request->classes, step, vectors, best, index)) {
                for (int64_t i = 0; i < vectors * L; i += L)
                    NAME(store)(request->labels, request->label_bytes, r * width + x + i, L,
                                LOAD_I(index + i));
                x += vectors * L;
                continue;
            }
            for (int64_t stop = x + left; x < stop; x++)
                put_label(request, r * width + x,
                          NAME(largest)(row + x * between, request->classes, step));
        }
    }
    return (end - start) * (width / L + 1) * request->classes;
}
