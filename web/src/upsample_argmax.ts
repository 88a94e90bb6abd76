// From scores to labels: bilinear upsampling and the largest class, in torch's arithmetic.

interface Axis {
  first: Int32Array;
  second: Int32Array;
  secondWeight: Float32Array;
}

/** Where each output position reads from (torch's area_pixel_compute_source_index). */
function bilinearAxis(before: number, after: number, alignCorners: boolean): Axis {
  const axis: Axis = {
    first: new Int32Array(after),
    second: new Int32Array(after),
    secondWeight: new Float32Array(after),
  };
  const f = Math.fround;
  const scale = alignCorners ? (after > 1 ? f((before - 1) / (after - 1)) : 0) : f(before / after);
  for (let at = 0; at < after; at++) {
    const source = alignCorners
      ? f(scale * at)
      : Math.max(0, f(f(scale * f(at + 0.5)) - 0.5));
    const first = Math.min(Math.trunc(source), before - 1);
    axis.first[at] = first;
    axis.second[at] = Math.min(first + 1, before - 1);
    axis.secondWeight[at] = Math.min(1, Math.max(0, f(source - first)));
  }
  return axis;
}

/**
 * Labels of the first class with the largest score at each pixel.
 *
 * @param scores float32 (classes, height, width)
 * @param alignCorners how they are upsampled; null where they have the labels' size
 */
export function upsampleArgmax(
  scores: Float32Array,
  classes: number,
  height: number,
  width: number,
  toHeight: number,
  toWidth: number,
  alignCorners: boolean | null,
): Uint8Array {
  const rows = bilinearAxis(height, toHeight, alignCorners ?? false);
  const columns = bilinearAxis(width, toWidth, alignCorners ?? false);
  const labels = new Uint8Array(toHeight * toWidth);
  const row = new Float32Array(width);
  const best = new Float32Array(toWidth);
  const plane = height * width;
  for (let y = 0; y < toHeight; y++) {
    const out = labels.subarray(y * toWidth, (y + 1) * toWidth);
    const [upper, lower, lowerWeight] = [rows.first[y], rows.second[y], rows.secondWeight[y]];
    best.fill(-Infinity);
    for (let c = 0; c < classes; c++) {
      mixRows(scores, c * plane + upper * width, c * plane + lower * width, lowerWeight, row);
      keepLargest(row, columns, c, best, out);
    }
  }
  return labels;
}

function mixRows(
  scores: Float32Array,
  upper: number,
  lower: number,
  lowerWeight: number,
  row: Float32Array,
): void {
  const upperWeight = 1 - lowerWeight;
  for (let x = 0; x < row.length; x++) {
    row[x] = scores[upper + x] * upperWeight + scores[lower + x] * lowerWeight;
  }
}

function keepLargest(
  row: Float32Array,
  { first, second, secondWeight }: Axis,
  label: number,
  best: Float32Array,
  labels: Uint8Array,
): void {
  for (let x = 0; x < best.length; x++) {
    const weight = secondWeight[x];
    const value = row[first[x]] * (1 - weight) + row[second[x]] * weight;
    if (value > best[x]) {
      best[x] = value;
      labels[x] = label;
    }
  }
}
