/* Evaluates every class at every pixel of some output rows; part of rows.h. */

/* Interpolates the output columns [start, end) of a row of scores, for all classes. */
static TARGET void NAME(spread)(const Job *job, SourceRow *source, int64_t start, int64_t end)
{
    if (source->spread_id == source->id && source->spread_start == start)
        return;
    const float *first_weight = job->column_weights[0], *second_weight = job->column_weights[1];
    for (int64_t c = 0; c < job->request.classes; c++) {
        const float *scores = source->at + c * job->in_step;
        float *out = source->spread + c * job->tile_step - start;
        for (const Run *run = job->columns; run < job->columns + job->num_columns; run++) {
            int64_t x = run->start > start ? run->start : start;
            int64_t stop = run->end < end ? run->end : end;
            F a = SPLAT(scores[run->first]), b = SPLAT(scores[run->second]);
            for (; x < stop; x += L) /* writes past the run, where the next one follows */
                STORE(out + x, FMA(a, LOAD(first_weight + x), MUL(b, LOAD(second_weight + x))));
        }
    }
    source->spread_id = source->id;
    source->spread_start = start;
}

INLINE void NAME(dense_rows)(const Job *job, const SourceRow *top, const SourceRow *bottom,
                             int64_t image, int64_t y, int rows, int64_t start, int64_t end)
{
    const Request *request = &job->request;
    const float *top_weight = request->rows.first_weight + y;
    const float *bottom_weight = request->rows.second_weight + y;
    int64_t step = job->tile_step;
    for (int64_t x = start; x < end; x += L) {
        F best[8];
        I index[8];
        for (int r = 0; r < rows; r++) {
            best[r] = SPLAT(-__builtin_inff());
            index[r] = SPLAT_I(0);
        }
        const float *a = top->spread + (x - start), *b = bottom->spread + (x - start);
        for (int32_t c = 0; c < request->classes; c++, a += step, b += step)
            NAME(compete)(LOAD(a), LOAD(b), top_weight, bottom_weight, rows, SPLAT_I(c), best,
                          index);
        for (int r = 0; r < rows; r++)
            NAME(store)(request->labels, request->label_bytes,
                        (image * request->out_h + y + r) * request->out_w + x, end - x, index[r]);
    }
}

static TARGET int64_t NAME(dense)(const Job *job, SourceRow *top, SourceRow *bottom, int64_t image,
                                  const Run *run)
{
    const Request *request = &job->request;
    for (int64_t start = 0; start < request->out_w; start += job->tile) {
        int64_t end = start + job->tile < request->out_w ? start + job->tile : request->out_w;
        NAME(spread)(job, top, start, end);
        NAME(spread)(job, bottom, start, end);
        for (int64_t y = run->start; y < run->end;) {
            int64_t left = run->end - y;
            if (left >= 8 && ROWS >= 8) {
                NAME(dense_rows)(job, top, bottom, image, y, 8, start, end);
                y += 8;
            } else if (left >= 4) {
                NAME(dense_rows)(job, top, bottom, image, y, 4, start, end);
                y += 4;
            } else if (left >= 2) {
                NAME(dense_rows)(job, top, bottom, image, y, 2, start, end);
                y += 2;
            } else {
                NAME(dense_rows)(job, top, bottom, image, y, 1, start, end);
                y += 1;
            }
        }
    }
    return request->classes * (request->out_w / L + 1) * (run->end - run->start + 1);
}

