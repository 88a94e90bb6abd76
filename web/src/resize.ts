// Pillow's resizing, in its fixed-point arithmetic: the same bytes that swiftseg gives in Python.

const PRECISION_BITS = 22; // Pillow's Resample.c: 32 - 8 - 2

interface Taps {
  first: Int32Array;
  count: Int32Array;
  weights: Int32Array;
  size: number;
}

/** The weights of bilinear resizing, which averages where it shrinks (precompute_coeffs). */
function bilinearTaps(before: number, after: number): Taps {
  const scale = before / after;
  const support = Math.max(scale, 1);
  const size = Math.ceil(support) * 2 + 1;
  const taps: Taps = {
    first: new Int32Array(after),
    count: new Int32Array(after),
    weights: new Int32Array(after * size),
    size,
  };
  const values = new Float64Array(size);
  for (let at = 0; at < after; at++) {
    const center = (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(before, Math.trunc(center + support + 0.5)) - first;
    let sum = 0;
    for (let tap = 0; tap < count; tap++) {
      const distance = Math.abs((tap + first - center + 0.5) * (1 / support));
      values[tap] = distance < 1 ? 1 - distance : 0;
      sum += values[tap];
    }
    for (let tap = 0; tap < count; tap++) {
      const weight = sum === 0 ? values[tap] : values[tap] / sum;
      taps.weights[at * size + tap] = Math.trunc(0.5 + weight * (1 << PRECISION_BITS));
    }
    taps.first[at] = first;
    taps.count[at] = count;
  }
  return taps;
}

/** Resizes RGBA to RGB, along the rows first and then along the columns. */
export function resizeToRgb(
  rgba: Uint8ClampedArray,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  const narrow = width === toWidth ? withoutAlpha(rgba) : alongRows(rgba, width, height, toWidth);
  return height === toHeight ? narrow : alongColumns(narrow, toWidth, height, toHeight);
}

function withoutAlpha(rgba: Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}

const HALF = 1 << (PRECISION_BITS - 1);

function alongRows(
  rgba: Uint8ClampedArray,
  width: number,
  height: number,
  toWidth: number,
): Uint8Array {
  const { first, count, weights, size } = bilinearTaps(width, toWidth);
  const rgb = new Uint8Array(toWidth * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < toWidth; x++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let from = (y * width + first[x]) * 4;
      for (let tap = x * size, end = tap + count[x]; tap < end; tap++, from += 4) {
        const weight = weights[tap];
        red += rgba[from] * weight;
        green += rgba[from + 1] * weight;
        blue += rgba[from + 2] * weight;
      }
      rgb[to++] = red >> PRECISION_BITS;
      rgb[to++] = green >> PRECISION_BITS;
      rgb[to++] = blue >> PRECISION_BITS;
    }
  }
  return rgb;
}

function alongColumns(
  rgb: Uint8Array,
  width: number,
  height: number,
  toHeight: number,
): Uint8Array {
  const { first, count, weights, size } = bilinearTaps(height, toHeight);
  const row = width * 3;
  const resized = new Uint8Array(row * toHeight);
  const sums = new Int32Array(row);
  for (let y = 0; y < toHeight; y++) {
    sums.fill(HALF);
    for (let tap = 0; tap < count[y]; tap++) {
      const weight = weights[y * size + tap];
      const from = (first[y] + tap) * row;
      for (let x = 0; x < row; x++) sums[x] += rgb[from + x] * weight;
    }
    for (let x = 0; x < row; x++) resized[y * row + x] = sums[x] >> PRECISION_BITS;
  }
  return resized;
}

/** Brings labels to another size by nearest neighbor, as Pillow does. */
export function nearest(
  labels: Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  if (width === toWidth && height === toHeight) return labels;
  const columns = nearestIndices(width, toWidth);
  const rows = nearestIndices(height, toHeight);
  const resized = new Uint8Array(toWidth * toHeight);
  for (let y = 0, to = 0; y < toHeight; y++) {
    const from = rows[y] * width;
    for (let x = 0; x < toWidth; x++) resized[to++] = labels[from + columns[x]];
  }
  return resized;
}

function nearestIndices(before: number, after: number): Int32Array {
  const scale = before / after;
  const indices = new Int32Array(after);
  let at = scale * 0.5; // summed up as Pillow does, its rounding included
  for (let index = 0; index < after; index++, at += scale) {
    indices[index] = Math.min(before - 1, Math.trunc(at));
  }
  return indices;
}
