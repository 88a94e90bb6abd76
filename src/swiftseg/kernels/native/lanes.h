/* The few vector operations that rows.h is written in, for one instruction set at a time.
 *
 * Include it with LANES_AVX512, LANES_AVX2, LANES_SSE2, LANES_NEON or LANES_SCALAR defined. F is a
 * vector of L floats, I of L 32-bit integers, M the outcome of L comparisons, ROWS the number of
 * output rows whose running maxima fit into the registers.
 *
 * FMA rounds a * b + c once on every machine. Where the instruction is missing it is computed in
 * double precision, which holds the product exactly; the sum is rounded to odd there (Boldo and
 * Melquiond, 2008), so that rounding it to float afterwards gives what a single rounding gives.
 */

#undef L
#undef ROWS
#undef TARGET
#undef F
#undef I
#undef M
#undef LOAD
#undef STORE
#undef LOAD_I
#undef STORE_I
#undef SPLAT
#undef SPLAT_I
#undef ADD
#undef SUB
#undef MUL
#undef FMA
#undef FMA_ONE
#undef MAX
#undef ABS
#undef ABOVE
#undef AT_MOST
#undef AND
#undef PICK
#undef PICK_I
#undef BITS
#undef STORE_8
#undef STORE_16

#if defined(LANES_AVX512)

#define L 16
#define ROWS 8
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define F __m512
#define I __m512i
#define M __mmask16
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, a) _mm512_storeu_ps(p, a)
#define LOAD_I(p) _mm512_loadu_si512(p)
#define STORE_I(p, i) _mm512_storeu_si512(p, i)
#define SPLAT(x) _mm512_set1_ps(x)
#define SPLAT_I(x) _mm512_set1_epi32(x)
#define ADD(a, b) _mm512_add_ps(a, b)
#define SUB(a, b) _mm512_sub_ps(a, b)
#define MUL(a, b) _mm512_mul_ps(a, b)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define FMA_ONE(a, b, c) __builtin_fmaf(a, b, c)
#define MAX(a, b) _mm512_max_ps(a, b)
#define ABS(a) _mm512_abs_ps(a)
#define ABOVE(a, b) _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ)
#define AT_MOST(a, b) _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ)
#define AND(m, n) ((__mmask16)((m) & (n)))
#define PICK(m, a, b) _mm512_mask_blend_ps(m, b, a)
#define PICK_I(m, a, b) _mm512_mask_blend_epi32(m, b, a)
#define BITS(m) ((unsigned)(m))
#define STORE_8(p, i) _mm_storeu_si128((__m128i *)(p), _mm512_cvtepi32_epi8(i))
#define STORE_16(p, i) _mm256_storeu_si256((__m256i *)(p), _mm512_cvtepi32_epi16(i))

#elif defined(LANES_AVX2)

#define L 8
#define ROWS 4
#define TARGET __attribute__((target("avx2,fma")))
#define F __m256
#define I __m256i
#define M __m256
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, a) _mm256_storeu_ps(p, a)
#define LOAD_I(p) _mm256_loadu_si256((const __m256i *)(p))
#define STORE_I(p, i) _mm256_storeu_si256((__m256i *)(p), i)
#define SPLAT(x) _mm256_set1_ps(x)
#define SPLAT_I(x) _mm256_set1_epi32(x)
#define ADD(a, b) _mm256_add_ps(a, b)
#define SUB(a, b) _mm256_sub_ps(a, b)
#define MUL(a, b) _mm256_mul_ps(a, b)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define FMA_ONE(a, b, c) __builtin_fmaf(a, b, c)
#define MAX(a, b) _mm256_max_ps(a, b)
#define ABS(a) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a)
#define ABOVE(a, b) _mm256_cmp_ps(a, b, _CMP_GT_OQ)
#define AT_MOST(a, b) _mm256_cmp_ps(a, b, _CMP_LE_OQ)
#define AND(m, n) _mm256_and_ps(m, n)
#define PICK(m, a, b) _mm256_blendv_ps(b, a, m)
#define PICK_I(m, a, b) _mm256_blendv_epi8(b, a, _mm256_castps_si256(m))
#define BITS(m) ((unsigned)_mm256_movemask_ps(m))
#define STORE_8(p, i) _mm_storel_epi64((__m128i *)(p), narrow_8_avx2(i))
#define STORE_16(p, i) _mm_storeu_si128((__m128i *)(p), narrow_16_avx2(i))

static inline TARGET __m128i narrow_16_avx2(__m256i i)
{
    return _mm_packus_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
}

static inline TARGET __m128i narrow_8_avx2(__m256i i)
{
    return _mm_packus_epi16(narrow_16_avx2(i), _mm_setzero_si128());
}

#elif defined(LANES_SSE2)

#define L 4
#define ROWS 4
#define TARGET
#define F __m128
#define I __m128i
#define M __m128
#define LOAD(p) _mm_loadu_ps(p)
#define STORE(p, a) _mm_storeu_ps(p, a)
#define LOAD_I(p) _mm_loadu_si128((const __m128i *)(p))
#define STORE_I(p, i) _mm_storeu_si128((__m128i *)(p), i)
#define SPLAT(x) _mm_set1_ps(x)
#define SPLAT_I(x) _mm_set1_epi32(x)
#define ADD(a, b) _mm_add_ps(a, b)
#define SUB(a, b) _mm_sub_ps(a, b)
#define MUL(a, b) _mm_mul_ps(a, b)
#define FMA(a, b, c) fma_sse2(a, b, c)
#define FMA_ONE(a, b, c) _mm_cvtss_f32(fma_sse2(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)))
#define MAX(a, b) _mm_max_ps(a, b)
#define ABS(a) _mm_andnot_ps(_mm_set1_ps(-0.0f), a)
#define ABOVE(a, b) _mm_cmpgt_ps(a, b)
#define AT_MOST(a, b) _mm_cmple_ps(a, b)
#define AND(m, n) _mm_and_ps(m, n)
#define PICK(m, a, b) _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b))
#define PICK_I(m, a, b)                                                                            \
    _mm_or_si128(_mm_and_si128(_mm_castps_si128(m), a), _mm_andnot_si128(_mm_castps_si128(m), b))
#define BITS(m) ((unsigned)_mm_movemask_ps(m))
#define STORE_8(p, i) narrow_8_sse2(p, i)
#define STORE_16(p, i) narrow_16_sse2(p, i)

/* a * b + c for two numbers, rounded to odd: of the two doubles around the exact sum, the one whose
 * last bit is set. */
static inline __m128d odd_sum_sse2(__m128d a, __m128d b, __m128d c)
{
    const __m128d infinity = _mm_set1_pd(__builtin_inf());
    __m128d product = _mm_mul_pd(a, b), sum = _mm_add_pd(product, c);
    __m128d part = _mm_sub_pd(sum, product); /* Knuth's exact error of a sum */
    __m128d error = _mm_add_pd(_mm_sub_pd(product, _mm_sub_pd(sum, part)), _mm_sub_pd(c, part));
    __m128d magnitude = _mm_andnot_pd(_mm_set1_pd(-0.0), sum);
    __m128d inexact = _mm_and_pd(_mm_cmpneq_pd(error, _mm_setzero_pd()),
                                 _mm_cmplt_pd(magnitude, infinity));
    __m128i one = _mm_set_epi32(0, 1, 0, 1), bits = _mm_castpd_si128(sum);
    __m128i even = _mm_andnot_si128(bits, one); /* 1 where the last bit is not set */
    __m128i adjust = _mm_and_si128(even, _mm_castpd_si128(inexact));
    /* One more unit in the last place where the error points away from zero, else one less. */
    __m128i inward = _mm_srai_epi32(_mm_castpd_si128(_mm_xor_pd(error, sum)), 31);
    inward = _mm_shuffle_epi32(inward, _MM_SHUFFLE(3, 3, 1, 1));
    adjust = _mm_sub_epi64(_mm_xor_si128(adjust, inward), inward);
    return _mm_castsi128_pd(_mm_add_epi64(bits, adjust));
}

static inline __m128 fma_sse2(__m128 a, __m128 b, __m128 c)
{
    __m128d low = odd_sum_sse2(_mm_cvtps_pd(a), _mm_cvtps_pd(b), _mm_cvtps_pd(c));
    __m128d high = odd_sum_sse2(_mm_cvtps_pd(_mm_movehl_ps(a, a)),
                                _mm_cvtps_pd(_mm_movehl_ps(b, b)),
                                _mm_cvtps_pd(_mm_movehl_ps(c, c)));
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}

static inline void narrow_16_sse2(uint16_t *labels, __m128i i)
{
    int32_t wide[4];
    _mm_storeu_si128((__m128i *)wide, i);
    for (int lane = 0; lane < 4; lane++)
        labels[lane] = (uint16_t)wide[lane];
}

static inline void narrow_8_sse2(uint8_t *labels, __m128i i)
{
    __m128i words = _mm_packs_epi32(i, i);
    int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(labels, &bytes, 4);
}

#elif defined(LANES_NEON)

#define L 4
#define ROWS 8
#define TARGET
#define F float32x4_t
#define I int32x4_t
#define M uint32x4_t
#define LOAD(p) vld1q_f32(p)
#define STORE(p, a) vst1q_f32(p, a)
#define LOAD_I(p) vld1q_s32(p)
#define STORE_I(p, i) vst1q_s32(p, i)
#define SPLAT(x) vdupq_n_f32(x)
#define SPLAT_I(x) vdupq_n_s32(x)
#define ADD(a, b) vaddq_f32(a, b)
#define SUB(a, b) vsubq_f32(a, b)
#define MUL(a, b) vmulq_f32(a, b)
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define FMA_ONE(a, b, c) __builtin_fmaf(a, b, c)
#define MAX(a, b) vmaxq_f32(a, b)
#define ABS(a) vabsq_f32(a)
#define ABOVE(a, b) vcgtq_f32(a, b)
#define AT_MOST(a, b) vcleq_f32(a, b)
#define AND(m, n) vandq_u32(m, n)
#define PICK(m, a, b) vbslq_f32(m, a, b)
#define PICK_I(m, a, b) vbslq_s32(m, a, b)
#define BITS(m) ((unsigned)vaddvq_u32(vandq_u32(m, (uint32x4_t){1, 2, 4, 8})))
#define STORE_8(p, i) narrow_8_neon(p, i)
#define STORE_16(p, i) vst1_u16(p, vmovn_u32(vreinterpretq_u32_s32(i)))

static inline void narrow_8_neon(uint8_t *labels, int32x4_t i)
{
    uint16x4_t words = vmovn_u32(vreinterpretq_u32_s32(i));
    uint8x8_t bytes = vmovn_u16(vcombine_u16(words, words));
    uint32_t four = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
    memcpy(labels, &four, 4);
}

#elif defined(LANES_SCALAR)

#define L 1
#define ROWS 4
#define TARGET
#define F float
#define I int32_t
#define M int
#define LOAD(p) (*(p))
#define STORE(p, a) (*(p) = (a))
#define LOAD_I(p) (*(p))
#define STORE_I(p, i) (*(p) = (i))
#define SPLAT(x) (x)
#define SPLAT_I(x) (x)
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#define FMA_ONE(a, b, c) __builtin_fmaf(a, b, c)
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ABS(a) __builtin_fabsf(a)
#define ABOVE(a, b) ((a) > (b))
#define AT_MOST(a, b) ((a) <= (b))
#define AND(m, n) ((m) & (n))
#define PICK(m, a, b) ((m) ? (a) : (b))
#define PICK_I(m, a, b) ((m) ? (a) : (b))
#define BITS(m) ((unsigned)(m))
#define STORE_8(p, i) (*(uint8_t *)(p) = (uint8_t)(i))
#define STORE_16(p, i) (*(uint16_t *)(p) = (uint16_t)(i))

#endif
