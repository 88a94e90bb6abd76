// The innermost loops: sums of products in as many registers as there are.

/**
 * Six rows times eight columns of weights (depth, 8).
 *
 * @param row the first; the others follow, `pitch` apart
 * @param added what is added to the sums
 * @param lowest what smaller sums become
 */
export function sixRows(
  row: i32,
  pitch: i32,
  depth: i32,
  weights: i32,
  bias: i32,
  target: i32,
  targetPitch: i32,
  added: i32,
  addedPitch: i32,
  lowest: f32,
): void {
  let r1 = row + pitch;
  let r2 = r1 + pitch;
  let r3 = r2 + pitch;
  let r4 = r3 + pitch;
  let r5 = r4 + pitch;
  let l0 = v128.load(bias);
  let h0 = v128.load(bias, 16);
  let l1 = l0;
  let h1 = h0;
  let l2 = l0;
  let h2 = h0;
  let l3 = l0;
  let h3 = h0;
  let l4 = l0;
  let h4 = h0;
  let l5 = l0;
  let h5 = h0;
  for (let k = 0; k < depth; k++) {
    const low = v128.load(weights);
    const high = v128.load(weights, 16);
    let value = v128.load_splat<f32>(row);
    l0 = f32x4.relaxed_madd(value, low, l0);
    h0 = f32x4.relaxed_madd(value, high, h0);
    value = v128.load_splat<f32>(r1);
    l1 = f32x4.relaxed_madd(value, low, l1);
    h1 = f32x4.relaxed_madd(value, high, h1);
    value = v128.load_splat<f32>(r2);
    l2 = f32x4.relaxed_madd(value, low, l2);
    h2 = f32x4.relaxed_madd(value, high, h2);
    value = v128.load_splat<f32>(r3);
    l3 = f32x4.relaxed_madd(value, low, l3);
    h3 = f32x4.relaxed_madd(value, high, h3);
    value = v128.load_splat<f32>(r4);
    l4 = f32x4.relaxed_madd(value, low, l4);
    h4 = f32x4.relaxed_madd(value, high, h4);
    value = v128.load_splat<f32>(r5);
    l5 = f32x4.relaxed_madd(value, low, l5);
    h5 = f32x4.relaxed_madd(value, high, h5);
    weights += 32;
    row += 4;
    r1 += 4;
    r2 += 4;
    r3 += 4;
    r4 += 4;
    r5 += 4;
  }
  put(target, added, l0, h0, lowest);
  put(target + targetPitch, added + addedPitch, l1, h1, lowest);
  put(target + 2 * targetPitch, added + 2 * addedPitch, l2, h2, lowest);
  put(target + 3 * targetPitch, added + 3 * addedPitch, l3, h3, lowest);
  put(target + 4 * targetPitch, added + 4 * addedPitch, l4, h4, lowest);
  put(target + 5 * targetPitch, added + 5 * addedPitch, l5, h5, lowest);
}

/** One row times eight columns of weights. */
export function oneRow(
  row: i32,
  depth: i32,
  weights: i32,
  bias: i32,
  target: i32,
  added: i32,
  lowest: f32,
): void {
  let low = v128.load(bias);
  let high = v128.load(bias, 16);
  for (let k = 0; k < depth; k++) {
    const value = v128.load_splat<f32>(row);
    low = f32x4.relaxed_madd(value, v128.load(weights), low);
    high = f32x4.relaxed_madd(value, v128.load(weights, 16), high);
    weights += 32;
    row += 4;
  }
  put(target, added, low, high, lowest);
}

/**
 * Eight channels of four pixels, each channel by itself.
 *
 * @param sources where each tap of each pixel reads its first channel: four addresses a tap
 * @param at bytes from the first channel to those eight
 * @param bytes of all channels of a tap's weights
 * @param last the last of the four pixels that there is; those behind it are the same
 */
export function fourPixels(
  sources: i32,
  at: i32,
  taps: i32,
  weights: i32,
  bytes: i32,
  bias: i32,
  target: i32,
  targetPitch: i32,
  added: i32,
  addedPitch: i32,
  last: i32,
  lowest: f32,
): void {
  let l0 = v128.load(bias);
  let h0 = v128.load(bias, 16);
  let l1 = l0;
  let h1 = h0;
  let l2 = l0;
  let h2 = h0;
  let l3 = l0;
  let h3 = h0;
  for (let tap = 0; tap < taps; tap++) {
    const low = v128.load(weights);
    const high = v128.load(weights, 16);
    let source = load<i32>(sources) + at;
    l0 = f32x4.relaxed_madd(v128.load(source), low, l0);
    h0 = f32x4.relaxed_madd(v128.load(source, 16), high, h0);
    source = load<i32>(sources, 4) + at;
    l1 = f32x4.relaxed_madd(v128.load(source), low, l1);
    h1 = f32x4.relaxed_madd(v128.load(source, 16), high, h1);
    source = load<i32>(sources, 8) + at;
    l2 = f32x4.relaxed_madd(v128.load(source), low, l2);
    h2 = f32x4.relaxed_madd(v128.load(source, 16), high, h2);
    source = load<i32>(sources, 12) + at;
    l3 = f32x4.relaxed_madd(v128.load(source), low, l3);
    h3 = f32x4.relaxed_madd(v128.load(source, 16), high, h3);
    weights += bytes;
    sources += 16;
  }
  const second = min(1, last);
  const third = min(2, last);
  put(target, added, l0, h0, lowest);
  put(target + second * targetPitch, added + second * addedPitch, l1, h1, lowest);
  put(target + third * targetPitch, added + third * addedPitch, l2, h2, lowest);
  put(target + last * targetPitch, added + last * addedPitch, l3, h3, lowest);
}

// @ts-ignore: decorator
@inline
function put(target: i32, added: i32, low: v128, high: v128, lowest: f32): void {
  const least = f32x4.splat(lowest);
  v128.store(target, f32x4.max(f32x4.add(low, v128.load(added)), least));
  v128.store(target, f32x4.max(f32x4.add(high, v128.load(added, 16)), least), 16);
}
