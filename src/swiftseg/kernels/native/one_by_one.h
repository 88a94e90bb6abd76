/* Scores that are no numbers, infinite or huge: in torch a NaN is above all; part of rows.h. */

static TARGET int64_t NAME(one_by_one)(const Job *job, const SourceRow *top, const SourceRow *bottom,
                                       int64_t image, const Run *row)
{
    const Request *request = &job->request;
    const Axis *rows = &request->rows, *columns = &request->columns;
    for (int64_t y = row->start; y < row->end; y++)
        for (int64_t x = 0; x < request->out_w; x++) {
            int32_t first = columns->first[x], second = columns->second[x], label = 0;
            float w0 = columns->first_weight[x], w1 = columns->second_weight[x], best = 0;
            for (int32_t c = 0; c < request->classes && best == best; c++) {
                const float *a = top->at + c * job->in_step;
                const float *b = bottom->at + c * job->in_step;
                float above = FMA_ONE(a[first], w0, a[second] * w1);
                float below = FMA_ONE(b[first], w0, b[second] * w1);
                float value = FMA_ONE(above, rows->first_weight[y], below * rows->second_weight[y]);
                if (c == 0 || !(value <= best)) {
                    best = value;
                    label = c;
                }
            }
            put_label(request, (image * request->out_h + y) * request->out_w + x, label);
        }
    return request->classes * request->out_w * (row->end - row->start);
}

