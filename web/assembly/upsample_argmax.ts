// From scores to labels: bilinear upsampling and the largest class, in torch's arithmetic. Compiled
// to WebAssembly with SIMD.
//
// Every value is fma(t0, h0, t1 * h1) with t = fma(a, w0, b * w1): first along the columns, then
// along the rows. WebAssembly has no fma. In double precision the product is exact, and the sum is
// rounded once more than by an fma, which changes its float once in half a billion times.

const LANES = 4;

/** Frees all that has been reserved. */
export function clear(): void {
  heap.reset();
}

/** Gives an address of so many bytes. */
export function reserve(bytes: i32): usize {
  return heap.alloc(bytes);
}

/**
 * Writes the labels uint8 (toHeight, toWidth) of the first class with the largest score.
 *
 * @param scores float32 (classes, height, width)
 * @param rows where each output row reads from, which never decreases: the first row int32, the
 *   second, which is at most one more, and the second's weight float32, an array each
 * @param columns the same of the output columns
 * @param labels has room for three more
 */
export function upsampleArgmax(
  scores: usize,
  classes: i32,
  height: i32,
  width: i32,
  rows: usize,
  toHeight: i32,
  columns: usize,
  toWidth: i32,
  labels: usize,
): void {
  const bytes = ((toWidth + LANES - 1) / LANES) * classes * 16;
  const spreads = reserve(2 * bytes); // of one row with an even number and one with an odd number
  let next = 0; // the first row that has not been spread
  for (let y = 0; y < toHeight; y++) {
    const first = load<i32>(number(rows, y));
    const second = load<i32>(number(rows, toHeight + y));
    const weight = load<f32>(number(rows, 2 * toHeight + y));
    for (next = max(next, first); next <= second; next++) {
      const row = number(scores, next * width);
      spread(row, classes, height * width, columns, toWidth, spreads + (next & 1) * bytes);
    }
    const top = spreads + (first & 1) * bytes;
    const bottom = spreads + (second & 1) * bytes;
    labelRow(top, bottom, weight, classes, toWidth, labels + y * toWidth);
  }
}

/** The address of a number of 32 bits in an array. */
// @ts-ignore: decorator
@inline
function number(array: usize, index: i32): usize {
  return array + (<usize>index << 2);
}

/** Upsamples one row of scores: by four columns, and in these by class. */
function spread(
  row: usize,
  classes: i32,
  plane: i32,
  columns: usize,
  size: i32,
  out: usize,
): void {
  for (let x = 0; x < size; x++) {
    let a = number(row, load<i32>(number(columns, x)));
    let b = number(row, load<i32>(number(columns, size + x)));
    const weight = load<f32>(number(columns, 2 * size + x));
    const rest = <f64>(<f32>1 - weight);
    let to = number(out, (x / LANES) * classes * LANES + (x % LANES));
    for (let c = 0; c < classes; c++) {
      const value = <f64>load<f32>(a) * rest + <f64>(load<f32>(b) * weight);
      store<f32>(to, <f32>value);
      a = number(a, plane);
      b = number(b, plane);
      to += 16;
    }
  }
}

/** Labels one output row between two rows that `spread` has written. */
function labelRow(
  top: usize,
  bottom: usize,
  weight: f32,
  classes: i32,
  size: i32,
  labels: usize,
): void {
  const lower = f32x4.splat(weight);
  const upper = f64x2.splat(<f64>(<f32>1 - weight));
  for (let x = 0; x < size; x += LANES) {
    let best = f32x4.splat(-Infinity);
    let index = i32x4.splat(0);
    for (let c = 0; c < classes; c++) {
      const value = fma(v128.load(top), upper, f32x4.mul(v128.load(bottom), lower));
      const wins = f32x4.gt(value, best); // not where equal: the first class of equals stays
      best = v128.bitselect(value, best, wins);
      index = v128.bitselect(i32x4.splat(c), index, wins);
      top += 16;
      bottom += 16;
    }
    const words = i16x8.narrow_i32x4_u(index, index);
    const bytes = i8x16.narrow_i16x8_u(words, words);
    store<i32>(labels + x, i32x4.extract_lane(bytes, 0)); // the next row overwrites what is too much
  }
}

/** a * b + c of four numbers; b holds doubles, the same number twice. */
// @ts-ignore: decorator
@inline
function fma(a: v128, b: v128, c: v128): v128 {
  const low = f64x2.add(
    f64x2.mul(f64x2.promote_low_f32x4(a), b),
    f64x2.promote_low_f32x4(c),
  );
  const high = f64x2.add(
    f64x2.mul(f64x2.promote_low_f32x4(upperHalf(a)), b),
    f64x2.promote_low_f32x4(upperHalf(c)),
  );
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

// @ts-ignore: decorator
@inline
function upperHalf(a: v128): v128 {
  return v128.shuffle<i64>(a, a, 1, 1);
}
