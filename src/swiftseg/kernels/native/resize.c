/* Memory and the choice of instructions around the passes of resize_rows.h. */

#include "resize.h"

#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "upsample_argmax.h"

#define CHANNELS 3
#define HALF (1 << (FRACTION_BITS - 1))

/* Bytes whose sums stay in the first-level cache. */
#define SPAN_BYTES 1024

typedef int32_t Four __attribute__((vector_size(16)));

#define PASTE_(name, suffix) name##_##suffix
#define PASTE(name, suffix) PASTE_(name, suffix)
#define NAME(name) PASTE(name, INSTRUCTIONS)

#if defined(SWIFTSEG_NEON)
static inline Four load_4(const uint8_t *at)
{
    uint32_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    uint16x8_t words = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bytes)));
    return (Four)vmovl_u16(vget_low_u16(words));
}

static inline void store_4(uint8_t *at, Four values)
{
    uint16x4_t words = vmovn_u32((uint32x4_t)values);
    uint32_t bytes = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
    memcpy(at, &bytes, sizeof bytes);
}
#else
static inline Four load_4(const uint8_t *at)
{
    return (Four){at[0], at[1], at[2], at[3]};
}

static inline void store_4(uint8_t *at, Four values)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)values[i];
}
#endif

#define INSTRUCTIONS plain
#define TARGET
#define LOAD_4(at) load_4(at)
#define STORE_4(at, values) store_4(at, values)
#include "resize_rows.h"

#if defined(SWIFTSEG_X86)
static inline __attribute__((target("avx2"))) Four load_4_avx2(const uint8_t *at)
{
    int32_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return (Four)_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes));
}

static inline __attribute__((target("avx2"))) void store_4_avx2(uint8_t *at, Four values)
{
    __m128i words = _mm_packus_epi32((__m128i)values, (__m128i)values);
    int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(at, &bytes, sizeof bytes);
}

#define INSTRUCTIONS avx2
#define TARGET __attribute__((target("avx2")))
#define LOAD_4(at) load_4_avx2(at)
#define STORE_4(at, values) store_4_avx2(at, values)
#include "resize_rows.h"
#endif

typedef struct {
    void (*across)(const ResizeRequest *, const uint8_t *, uint8_t *);
    void (*down)(uint8_t *const *, const int32_t *, int32_t, int64_t, uint8_t *);
} Passes;

/* What AVX-512 adds is no gain here (1.0 times as fast). */
static Passes passes_of(int instruction_set)
{
#if defined(SWIFTSEG_X86)
    if (instruction_set >= INSTRUCTIONS_AVX2)
        return (Passes){across_avx2, down_avx2};
#endif
    (void)instruction_set;
    return (Passes){across_plain, down_plain};
}

/* Resizes along the rows what the next output row needs, and then along the columns: `ring` holds as
 * many rows, each with a byte behind it, as an output row can need. */
static void resize(const ResizeRequest *request, Passes passes, uint8_t *line, uint8_t *ring,
                   uint8_t **needed)
{
    const Taps *taps = &request->rows;
    int64_t in_bytes = request->in_w * CHANNELS, bytes = request->out_w * CHANNELS, done = 0;
    for (int64_t y = 0; y < request->out_h; y++) {
        int64_t first = taps->first[y], end = first + taps->count[y];
        for (done = done < first ? first : done; done < end; done++) {
            memcpy(line, request->in + done * in_bytes, (size_t)in_bytes);
            passes.across(request, line, ring + done % taps->most * (bytes + 1));
        }
        for (int64_t row = first; row < end; row++)
            needed[row - first] = ring + row % taps->most * (bytes + 1);
        passes.down(needed, taps->weights + y * taps->most, taps->count[y], bytes,
                    request->out + y * bytes);
    }
}

int swiftseg_resize(const ResizeRequest *request)
{
    int best = swiftseg_best_instruction_set(), asked = request->instruction_set;
    if (asked > best)
        return STATUS_NO_SUCH_INSTRUCTIONS;
    size_t rows = (size_t)request->rows.most;
    uint8_t *line = calloc((size_t)request->in_w * CHANNELS + 1, 1);
    uint8_t *ring = new_array(rows, (size_t)request->out_w * CHANNELS + 1);
    uint8_t **needed = malloc(rows * sizeof *needed);
    int made = line && ring && needed;
    if (made)
        resize(request, passes_of(asked < 0 ? best : asked), line, ring, needed);
    free(line);
    free(ring);
    free(needed);
    return made ? STATUS_DONE : STATUS_NO_MEMORY;
}
