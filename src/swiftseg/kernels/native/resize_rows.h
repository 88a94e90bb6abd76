/* The two passes of resize.c for one instruction set.
 *
 * Include it with INSTRUCTIONS, TARGET, LOAD_4 and STORE_4 defined: the latter two turn four bytes
 * into four integers and back. */

/* Resizes one row. A pixel goes as four bytes: the fourth is no matter when it is read, and is
 * written over by the next pixel. */
static TARGET void NAME(across)(const ResizeRequest *request, const uint8_t *in, uint8_t *out)
{
    const Taps *taps = &request->columns;
    for (int64_t x = 0; x < request->out_w; x++) {
        const int32_t *weights = taps->weights + x * taps->most;
        const uint8_t *at = in + (int64_t)taps->first[x] * CHANNELS;
        Four sum = {HALF, HALF, HALF, HALF};
        for (int32_t k = 0; k < taps->count[x]; k++)
            sum += LOAD_4(at + k * CHANNELS) * weights[k];
        STORE_4(out + x * CHANNELS, sum >> FRACTION_BITS);
    }
}

/* Averages `count` rows of bytes into one. */
static TARGET void NAME(down)(uint8_t *const *rows, const int32_t *weights, int32_t count,
                              int64_t bytes, uint8_t *restrict out)
{
    int32_t sums[SPAN_BYTES];
    for (int64_t start = 0; start < bytes; start += SPAN_BYTES) {
        int64_t size = bytes - start < SPAN_BYTES ? bytes - start : SPAN_BYTES;
        for (int64_t i = 0; i < size; i++)
            sums[i] = HALF;
        for (int32_t k = 0; k < count; k++) {
            const uint8_t *restrict row = rows[k] + start;
            int32_t weight = weights[k];
            for (int64_t i = 0; i < size; i++)
                sums[i] += row[i] * weight;
        }
        for (int64_t i = 0; i < size; i++)
            out[start + i] = (uint8_t)(sums[i] >> FRACTION_BITS);
    }
}

#undef INSTRUCTIONS
#undef TARGET
#undef LOAD_4
#undef STORE_4
