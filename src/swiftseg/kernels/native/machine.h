/* The machine that a source is compiled for: its vectors and its memory.
 *
 * Vectors are SWIFTSEG_X86, SWIFTSEG_NEON, or neither, which is plain C.
 *
 * NEON is AArch64's alone. That of 32-bit ARM turns numbers below the normal into zero, and labels
 * would be others there. Its lanes are taken to lie in memory as on little-endian machines; a
 * big-endian one gets plain C, which does not depend on the order of bytes. -DSWIFTSEG_SCALAR
 * leaves all vectors out, for the tests.
 */
#ifndef SWIFTSEG_MACHINE_H
#define SWIFTSEG_MACHINE_H

#include <float.h>
#include <stdint.h>
#include <stdlib.h>

#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16 /* 16: of the shorter types alone it says more */
#error "float arithmetic must round to float, or the labels are others than torch's"
#endif

#if defined(SWIFTSEG_SCALAR)
#elif defined(__x86_64__)
#define SWIFTSEG_X86
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SWIFTSEG_NEON
#include <arm_neon.h>
#endif

/* Memory for `count` elements of `size` bytes, null where 32-bit addresses do not reach so far. */
static inline void *new_array(size_t count, size_t size)
{
    return count && size > SIZE_MAX / count ? NULL : malloc(count * size);
}

#endif
