// A network of convolutions, run step by step by all threads together. Compiled to WebAssembly with
// SIMD, its relaxed fused multiply-add and shared memory.
//
// `swiftseg.exporting.web_plan` writes the steps, the weights and where each map lies; what it
// writes is at address 0 of the memory. Maps are float32 (height, width, channels); the channels
// are filled up to a multiple of eight, and a pixel's pitch may be larger: then the map is a part
// of another one, as what a concatenation joins.

import { fourPixels, oneRow, sixRows } from "./sums";

// The head of the memory: numbers of 32 bits.
const ARRIVED = 0; // threads that have come to the next meeting
const MEETINGS = 4; // that have been
const THREADS = 8;
const STEPS = 12;
const FIRST_STEP = 16;

// The numbers of a step, by their index. Offsets and pitches are in bytes.
const KIND = 0;
const TAKEN = 1; // pieces that threads have taken
const SOURCE = 2;
const SOURCE_PITCH = 3;
const SOURCE_HEIGHT = 4;
const SOURCE_WIDTH = 5;
const CHANNELS = 6; // of the source
const TARGET = 7;
const TARGET_PITCH = 8;
const TARGET_HEIGHT = 9;
const TARGET_WIDTH = 10;
const TARGET_CHANNELS = 11;
const KERNEL_HEIGHT = 12;
const KERNEL_WIDTH = 13;
const STRIDE_Y = 14;
const STRIDE_X = 15;
const DILATION_Y = 16;
const DILATION_X = 17;
const TOP = 18;
const LEFT = 19;
const WEIGHTS = 20;
const BIAS = 21;
const ADDED = 22; // a map that is added, or zeros with pitch 0
const ADDED_PITCH = 23;
const LOWEST = 24; // float32: what smaller sums become
const SCRATCH = 25;
const SCRATCH_BYTES = 26; // of each thread
const ZEROS = 27; // what lies outside a map
const STEP_BYTES = 128;

const PIXELS = 48; // of a convolution's piece
const SPINS = 4000; // before a thread that waits sleeps

/** Runs the network; the other threads are in `serve`. */
export function start(): void {
  const first = load<i32>(FIRST_STEP);
  const end = first + load<i32>(STEPS) * STEP_BYTES;
  for (let step = first; step < end; step += STEP_BYTES) store<i32>(step + (TAKEN << 2), 0);
  meet();
  run(0);
}

/** Runs the network whenever it is started. */
export function serve(thread: i32): void {
  while (true) {
    meet();
    run(thread);
  }
}

function run(thread: i32): void {
  let step = load<i32>(FIRST_STEP);
  const end = step + load<i32>(STEPS) * STEP_BYTES;
  for (; step < end; step += STEP_BYTES) {
    const kind = field(step, KIND);
    if (kind === 0) normalize(step);
    else if (kind === 1) convolve(step, thread);
    else if (kind === 2) convolveByChannel(step, thread);
    else if (kind === 3) resize(step);
    else if (kind === 4) average(step);
    else planes(step);
    meet();
  }
}

/** Waits until all threads are here. */
function meet(): void {
  const meetings = atomic.load<i32>(MEETINGS);
  if (atomic.add<i32>(ARRIVED, 1) + 1 === load<i32>(THREADS)) {
    atomic.store<i32>(ARRIVED, 0);
    atomic.add<i32>(MEETINGS, 1);
    atomic.notify(MEETINGS, -1);
    return;
  }
  for (let i = 0; i < SPINS; i++) if (atomic.load<i32>(MEETINGS) !== meetings) return;
  while (atomic.load<i32>(MEETINGS) === meetings) atomic.wait<i32>(MEETINGS, meetings, -1);
}

/** The next piece of a step that no thread has taken. */
// @ts-ignore: decorator
@inline
function take(step: i32): i32 {
  return atomic.add<i32>(step + (TAKEN << 2), 1);
}

// @ts-ignore: decorator
@inline
function field(step: i32, number: i32): i32 {
  return load<i32>(step + (number << 2));
}

/** Channels in blocks of eight, to whose multiple they are filled up. */
// @ts-ignore: decorator
@inline
function blocks(step: i32, number: i32): i32 {
  return (field(step, number) + 7) >> 3;
}

/** Bytes (height, width, channels) to floats, times the weights plus the bias; a piece is a row. */
function normalize(step: i32): void {
  const channels = field(step, CHANNELS);
  const bytes = field(step, SOURCE_WIDTH) * channels;
  for (let y = take(step); y < field(step, SOURCE_HEIGHT); y = take(step)) {
    const source = field(step, SOURCE) + y * bytes;
    const target = field(step, TARGET) + y * field(step, TARGET_WIDTH) * field(step, TARGET_PITCH);
    for (let c = 0; c < channels; c++) {
      const factor = load<f32>(field(step, WEIGHTS) + (c << 2));
      const shift = load<f32>(field(step, BIAS) + (c << 2));
      for (let i = c; i < bytes; i += channels) {
        store<f32>(target + (i << 2), <f32>load<u8>(source + i) * factor + shift);
      }
    }
  }
}

/** A convolution of all channels; a piece is some pixels, whose patches are the rows of a matrix. */
function convolve(step: i32, thread: i32): void {
  const pixels = field(step, TARGET_HEIGHT) * field(step, TARGET_WIDTH);
  const taps = field(step, KERNEL_HEIGHT) * field(step, KERNEL_WIDTH);
  const depth = taps * field(step, CHANNELS);
  const isPointwise = taps === 1 && field(step, STRIDE_Y) * field(step, STRIDE_X) === 1;
  const scratch = field(step, SCRATCH) + thread * field(step, SCRATCH_BYTES);
  for (let first = take(step) * PIXELS; first < pixels; first = take(step) * PIXELS) {
    const count = min(PIXELS, pixels - first);
    if (isPointwise) {
      const pitch = field(step, SOURCE_PITCH);
      multiply(step, field(step, SOURCE) + first * pitch, pitch, depth, first, count);
    } else {
      for (let i = 0; i < count; i++) gather(step, first + i, scratch + i * (depth << 2));
      multiply(step, scratch, depth << 2, depth, first, count);
    }
  }
}

/** Copies what a pixel's kernel sees. */
function gather(step: i32, pixel: i32, to: i32): void {
  const width = field(step, SOURCE_WIDTH);
  const pitch = field(step, SOURCE_PITCH);
  const bytes = field(step, CHANNELS) << 2;
  const kernelWidth = field(step, KERNEL_WIDTH);
  const dilation = field(step, DILATION_X);
  const zeros = field(step, ZEROS);
  let y = (pixel / field(step, TARGET_WIDTH)) * field(step, STRIDE_Y) - field(step, TOP);
  const left = (pixel % field(step, TARGET_WIDTH)) * field(step, STRIDE_X) - field(step, LEFT);
  const isOneRun = pitch === bytes && dilation === 1 && left >= 0 && left + kernelWidth <= width;
  for (let i = 0; i < field(step, KERNEL_HEIGHT); i++, y += field(step, DILATION_Y)) {
    const isInside = <u32>y < <u32>field(step, SOURCE_HEIGHT);
    const row = field(step, SOURCE) + y * width * pitch;
    if (isInside && isOneRun) {
      copy(to, row + left * pitch, kernelWidth * bytes);
      to += kernelWidth * bytes;
      continue;
    }
    for (let j = 0, x = left; j < kernelWidth; j++, x += dilation) {
      copy(to, isInside && <u32>x < <u32>width ? row + x * pitch : zeros, bytes);
      to += bytes;
    }
  }
}

// @ts-ignore: decorator
@inline
function copy(to: i32, from: i32, bytes: i32): void {
  let i = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(to + i, v128.load(from + i));
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(from + i));
}

/**
 * Multiplies rows by the weights: float32 (channels / 8, depth, 8).
 *
 * @param first the pixel of the first row
 */
function multiply(step: i32, rows: i32, pitch: i32, depth: i32, first: i32, count: i32): void {
  const targetPitch = field(step, TARGET_PITCH);
  const addedPitch = field(step, ADDED_PITCH);
  const lowest = load<f32>(step + (LOWEST << 2));
  for (let block = 0; block < blocks(step, TARGET_CHANNELS); block++) {
    const weights = field(step, WEIGHTS) + ((block * depth) << 5);
    const bias = field(step, BIAS) + (block << 5);
    let row = rows;
    let target = field(step, TARGET) + first * targetPitch + (block << 5);
    let added = field(step, ADDED) + first * addedPitch + (block << 5);
    let left = count;
    for (; left >= 6; left -= 6) {
      sixRows(row, pitch, depth, weights, bias, target, targetPitch, added, addedPitch, lowest);
      row += 6 * pitch;
      target += 6 * targetPitch;
      added += 6 * addedPitch;
    }
    for (; left > 0; left--) {
      oneRow(row, depth, weights, bias, target, added, lowest);
      row += pitch;
      target += targetPitch;
      added += addedPitch;
    }
  }
}

/** A convolution of each channel by itself, its weights (taps, channels); a piece is a row. */
function convolveByChannel(step: i32, thread: i32): void {
  const taps = field(step, KERNEL_HEIGHT) * field(step, KERNEL_WIDTH);
  const width = field(step, TARGET_WIDTH);
  const bytes = blocks(step, CHANNELS) << 5;
  const pitch = field(step, TARGET_PITCH);
  const addedPitch = field(step, ADDED_PITCH);
  const lowest = load<f32>(step + (LOWEST << 2));
  const sources = field(step, SCRATCH) + thread * field(step, SCRATCH_BYTES);
  for (let y = take(step); y < field(step, TARGET_HEIGHT); y = take(step)) {
    for (let x = 0; x < width; x += 4) {
      const last = min(3, width - 1 - x);
      for (let i = 0; i < 4; i++) locate(step, y, x + min(i, last), sources + (i << 2));
      const target = field(step, TARGET) + (y * width + x) * pitch;
      const added = field(step, ADDED) + (y * width + x) * addedPitch;
      for (let at = 0; at < bytes; at += 32) {
        const weights = field(step, WEIGHTS) + at;
        const bias = field(step, BIAS) + at;
        fourPixels(
          sources, at, taps, weights, bytes, bias,
          target + at, pitch, added + at, addedPitch, last, lowest,
        );
      }
    }
  }
}

/** Writes where each tap of a pixel's kernel reads, for every fourth address. */
function locate(step: i32, row: i32, column: i32, to: i32): void {
  const width = field(step, SOURCE_WIDTH);
  const pitch = field(step, SOURCE_PITCH);
  let y = row * field(step, STRIDE_Y) - field(step, TOP);
  const left = column * field(step, STRIDE_X) - field(step, LEFT);
  for (let i = 0; i < field(step, KERNEL_HEIGHT); i++, y += field(step, DILATION_Y)) {
    const isInside = <u32>y < <u32>field(step, SOURCE_HEIGHT);
    for (let j = 0, x = left; j < field(step, KERNEL_WIDTH); j++, x += field(step, DILATION_X)) {
      const isRead = isInside && <u32>x < <u32>width;
      store<i32>(to, isRead ? field(step, SOURCE) + (y * width + x) * pitch : field(step, ZEROS));
      to += 16;
    }
  }
}

/**
 * Bilinear; a piece is a row. The weights are the rows' reads and the bias the columns': the first
 * int32, the second int32 and the second's weight float32, an array each.
 */
function resize(step: i32): void {
  const height = field(step, TARGET_HEIGHT);
  const width = field(step, TARGET_WIDTH);
  const pitch = field(step, SOURCE_PITCH);
  const line = field(step, SOURCE_WIDTH) * pitch;
  const bytes = blocks(step, CHANNELS) << 5;
  const columns = field(step, BIAS);
  for (let y = take(step); y < height; y = take(step)) {
    const rows = field(step, WEIGHTS) + (y << 2);
    const top = field(step, SOURCE) + load<i32>(rows) * line;
    const bottom = field(step, SOURCE) + load<i32>(rows + (height << 2)) * line;
    const lower = f32x4.splat(load<f32>(rows + (height << 3)));
    const upper = f32x4.sub(f32x4.splat(1), lower);
    for (let x = 0; x < width; x++) {
      const column = columns + (x << 2);
      const left = load<i32>(column) * pitch;
      const right = load<i32>(column + (width << 2)) * pitch;
      const rightWeight = f32x4.splat(load<f32>(column + (width << 3)));
      const leftWeight = f32x4.sub(f32x4.splat(1), rightWeight);
      const target = field(step, TARGET) + (y * width + x) * field(step, TARGET_PITCH);
      for (let at = 0; at < bytes; at += 16) {
        const above = f32x4.relaxed_madd(
          v128.load(top + left + at),
          leftWeight,
          f32x4.mul(v128.load(top + right + at), rightWeight),
        );
        const below = f32x4.relaxed_madd(
          v128.load(bottom + left + at),
          leftWeight,
          f32x4.mul(v128.load(bottom + right + at), rightWeight),
        );
        v128.store(target + at, f32x4.relaxed_madd(above, upper, f32x4.mul(below, lower)));
      }
    }
  }
}

/**
 * A matrix (kernel height, kernel width) times the source's rows (stride 1) or columns (stride 0);
 * a piece is one of the others.
 */
function average(step: i32): void {
  const pitch = field(step, SOURCE_PITCH);
  const targetPitch = field(step, TARGET_PITCH);
  const isOfRows = field(step, STRIDE_Y) !== 0;
  const others = isOfRows ? field(step, SOURCE_WIDTH) : field(step, SOURCE_HEIGHT);
  const otherBytes = isOfRows ? pitch : field(step, SOURCE_WIDTH) * pitch;
  const bytes = isOfRows ? field(step, SOURCE_WIDTH) * pitch : pitch;
  const otherTarget = isOfRows ? targetPitch : field(step, TARGET_WIDTH) * targetPitch;
  const targetBytes = isOfRows ? field(step, TARGET_WIDTH) * targetPitch : targetPitch;
  const sums = field(step, KERNEL_HEIGHT);
  const terms = field(step, KERNEL_WIDTH);
  const channels = blocks(step, CHANNELS) << 5;
  for (let other = take(step); other < others; other = take(step)) {
    for (let i = 0; i < sums; i++) {
      const target = field(step, TARGET) + other * otherTarget + i * targetBytes;
      const weights = field(step, WEIGHTS) + (i * terms << 2);
      for (let at = 0; at < channels; at += 16) {
        let sum = f32x4.splat(0);
        let source = field(step, SOURCE) + other * otherBytes + at;
        for (let k = 0; k < terms; k++, source += bytes) {
          const weight = v128.load_splat<f32>(weights + (k << 2));
          sum = f32x4.relaxed_madd(v128.load(source), weight, sum);
        }
        v128.store(target + at, sum);
      }
    }
  }
}

/** Brings the channels first: float32 (channels, height, width); a piece is a channel. */
function planes(step: i32): void {
  const pixels = field(step, SOURCE_HEIGHT) * field(step, SOURCE_WIDTH);
  const pitch = field(step, SOURCE_PITCH);
  for (let c = take(step); c < field(step, TARGET_CHANNELS); c = take(step)) {
    let source = field(step, SOURCE) + (c << 2);
    let target = field(step, TARGET) + (c * pixels << 2);
    for (let i = 0; i < pixels; i++, source += pitch, target += 4) {
      store<f32>(target, load<f32>(source));
    }
  }
}
