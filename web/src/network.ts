// The network in the page's own WebAssembly, where the export has planned it and the browser has
// relaxed SIMD: about half of ONNX Runtime's time.

/** Where in the memory what lies; `swiftseg.exporting.plan_file` says it. */
export interface Plan {
  file: string;
  memory: number;
  frame: number;
  scores: number;
  shape: number[];
}

/** What a thread is given to start with. */
export interface Share {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  thread: number;
}

/** What assembly/network.ts exports. */
export interface Kernel {
  start(): void;
  serve(thread: number): void;
}

const PAGE_BYTES = 65536;
const THREADS = 2; // the number in the memory's head
const MAX_THREADS = 8; // the plan has scratch memory for so many

/** A network in its memory, which one frame at a time uses. */
export class Network {
  private constructor(
    private readonly plan: Plan,
    private readonly memory: WebAssembly.Memory,
    private readonly kernel: Kernel,
    readonly threads: number,
  ) {}

  /**
   * Starts the threads; throws where the browser lacks what the kernel needs.
   *
   * @param binary of the kernel
   * @param content of the plan's file
   */
  static async start(
    binary: BufferSource,
    plan: Plan,
    content: Uint8Array,
    maxThreads: number,
  ): Promise<Network> {
    const module = await WebAssembly.compile(binary);
    const pages = Math.ceil(plan.memory / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const threads = Math.min(maxThreads, MAX_THREADS);
    new Uint8Array(memory.buffer).set(content);
    new Int32Array(memory.buffer)[THREADS] = threads;
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    const others = Array.from({ length: threads - 1 }, (_, i) => i + 1);
    await Promise.all(others.map((thread) => startedThread({ module, memory, thread })));
    return new Network(plan, memory, exports as unknown as Kernel, threads);
  }

  /** Gives scores float32 (classes, height, width), which the next frame overwrites. */
  run(rgb: Uint8Array): Float32Array {
    new Uint8Array(this.memory.buffer, this.plan.frame).set(rgb);
    this.kernel.start();
    const size = this.plan.shape.reduce((product, number) => product * number);
    return new Float32Array(this.memory.buffer, this.plan.scores, size);
  }
}

function startedThread(share: Share): Promise<void> {
  const worker = new Worker(new URL("./network_thread.ts", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => reject(new Error(event.message || "a thread cannot be started"));
    worker.postMessage(share);
  });
}
