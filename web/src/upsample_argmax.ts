// From scores to labels: bilinear upsampling and the largest class, in torch's arithmetic. Where an
// output reads from is worked out here, the labels in WebAssembly.

/** Where each output position reads from. */
export interface Axis {
  first: Int32Array;
  second: Int32Array;
  secondWeight: Float32Array;
}

/** Where each output position reads from (torch's area_pixel_compute_source_index). */
export function bilinearAxis(before: number, after: number, alignCorners: boolean): Axis {
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

/** Some positions of an axis. */
export function picked({ first, second, secondWeight }: Axis, indices: Int32Array): Axis {
  return {
    first: Int32Array.from(indices, (index) => first[index]),
    second: Int32Array.from(indices, (index) => second[index]),
    secondWeight: Float32Array.from(indices, (index) => secondWeight[index]),
  };
}

/** What assembly/upsample_argmax.ts exports; an array is given by its address. */
interface Kernel {
  memory: WebAssembly.Memory;
  clear(): void;
  reserve(bytes: number): number;
  upsampleArgmax(
    scores: number,
    classes: number,
    height: number,
    width: number,
    rows: number,
    toHeight: number,
    columns: number,
    toWidth: number,
    labels: number,
  ): void;
}

/** The kernel in its memory, which one call at a time uses. */
export class Upsampler {
  private constructor(private readonly kernel: Kernel) {}

  /** @param binary of the kernel */
  static async start(binary: BufferSource): Promise<Upsampler> {
    const { instance } = await WebAssembly.instantiate(binary);
    return new Upsampler(instance.exports as unknown as Kernel);
  }

  /**
   * Labels of the first class with the largest score at each position of two axes.
   *
   * @param scores float32 (classes, height, width)
   */
  labels(
    scores: Float32Array,
    classes: number,
    height: number,
    width: number,
    rows: Axis,
    columns: Axis,
  ): Uint8Array {
    const { memory, clear, reserve, upsampleArgmax } = this.kernel;
    const [toHeight, toWidth] = [rows.first.length, columns.first.length];
    clear();
    const from = this.put(scores);
    const rowsAt = this.put(rows.first, rows.second, rows.secondWeight);
    const columnsAt = this.put(columns.first, columns.second, columns.secondWeight);
    const labels = reserve(toHeight * toWidth + 3);
    upsampleArgmax(from, classes, height, width, rowsAt, toHeight, columnsAt, toWidth, labels);
    return new Uint8Array(memory.buffer, labels, toHeight * toWidth).slice();
  }

  /** Copies arrays into the kernel's memory, one behind the other; gives their address. */
  private put(...arrays: (Float32Array | Int32Array)[]): number {
    const begin = this.kernel.reserve(arrays.reduce((sum, array) => sum + array.byteLength, 0));
    let at = begin;
    for (const { buffer, byteOffset, byteLength } of arrays) {
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      new Uint8Array(this.kernel.memory.buffer, at, byteLength).set(bytes);
      at += byteLength;
    }
    return begin;
  }
}
