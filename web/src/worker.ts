// Runs the network beside the page, so that the page stays quick.

import type * as Ort from "onnxruntime-web/wasm";
import { nearest, nearestIndices, resizeToRgb } from "./resize";
import { type Axis, bilinearAxis, picked, upsampleArgmax } from "./upsample_argmax";

declare const RUNTIME_FOLDER: string; // of the runtime's files; the build names it

/** What `swiftseg export --format web` writes beside a model. */
export interface Manifest {
  name: string;
  classes: { name: string; color: [number, number, number] }[];
  file: string;
  input: string;
  size_hw: [number, number];
  output: string;
  /** Whether the output holds labels; else float32 scores (1, classes, h, w). */
  labels: boolean;
  align_corners: boolean | null;
  note: string;
}

export type Request =
  | { kind: "load"; number: number; base: string; manifest: Manifest; webgpu: boolean }
  | { kind: "segment"; number: number; frame: ImageData };

export type Reply =
  | { kind: "loaded"; number: number; device: string }
  | { kind: "labels"; number: number; labels: Uint8Array; timings: Record<string, number> }
  | { kind: "failed"; number: number; message: string };

interface Loaded {
  ort: typeof Ort;
  session: Ort.InferenceSession;
  manifest: Manifest;
}

const IDLE_MS = 500;

let loaded: Loaded | undefined;
let device = "";
let idle: number | undefined;
let warmed: Promise<unknown> = Promise.resolve();

async function start(base: string, manifest: Manifest, webgpu: boolean): Promise<void> {
  const model = fetched(new URL(manifest.file, base).href); // while the runtime loads
  if (webgpu && (await hasWebGpu())) {
    try {
      await startWith(await import("onnxruntime-web/webgpu"), "webgpu", base, manifest, await model);
      await infer(blankFrame(manifest)); // compiles its shaders, and may find that it cannot
      device = "WebGPU";
      return;
    } catch (error) {
      console.warn("WebGPU cannot run the model, WebAssembly does:", error);
    }
  }
  await startWith(await import("onnxruntime-web/wasm"), "wasm", base, manifest, await model);
  const threads = loaded?.ort.env.wasm.numThreads ?? 1;
  device = `WebAssembly, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  // The first run takes twice the time of later ones; a picture that comes at once is the first.
  idle = self.setTimeout(() => (warmed = infer(blankFrame(manifest))), IDLE_MS);
}

function blankFrame({ size_hw: [height, width] }: Manifest): Uint8Array {
  return new Uint8Array(height * width * 3);
}

async function fetched(address: string): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function hasWebGpu(): Promise<boolean> {
  const gpu = (navigator as { gpu?: { requestAdapter(): Promise<unknown> } }).gpu;
  return gpu !== undefined && (await gpu.requestAdapter()) !== null;
}

async function startWith(
  ort: typeof Ort,
  provider: "webgpu" | "wasm",
  base: string,
  manifest: Manifest,
  model: Uint8Array,
): Promise<void> {
  ort.env.wasm.wasmPaths = new URL(RUNTIME_FOLDER, base).href;
  ort.env.wasm.numThreads = self.crossOriginIsolated
    ? Math.min(8, navigator.hardwareConcurrency)
    : 1; // without isolation browsers give a page no shared memory
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  loaded = { ort, session, manifest };
}

async function infer(rgb: Uint8Array): Promise<Ort.Tensor> {
  if (loaded === undefined) throw new Error("no model is loaded");
  const { ort, session, manifest } = loaded;
  const frames = new ort.Tensor("uint8", rgb, [1, ...manifest.size_hw, 3]);
  const outputs = await session.run({ [manifest.input]: frames }, [manifest.output]);
  return outputs[manifest.output];
}

async function segment(frame: ImageData): Promise<[Uint8Array, Record<string, number>]> {
  if (loaded === undefined) throw new Error("no model is loaded");
  const { manifest } = loaded;
  const [height, width] = manifest.size_hw;
  const begin = performance.now();
  const rgb = resizeToRgb(frame.data, frame.width, frame.height, width, height);
  const resized = performance.now();
  const output = await infer(rgb);
  const inferred = performance.now();
  const labels = manifest.labels
    ? nearest(output.data as Uint8Array, width, height, frame.width, frame.height)
    : labelsOf(output, manifest, frame);
  output.dispose();
  const timings = {
    resize: resized - begin,
    network: inferred - resized,
    labels: performance.now() - inferred,
  };
  return [labels, timings];
}

/** Makes a frame's labels of scores; of a smaller frame only those that it keeps. */
function labelsOf(output: Ort.Tensor, manifest: Manifest, frame: ImageData): Uint8Array {
  const [, classes, fromHeight, fromWidth] = output.dims;
  const [height, width] = manifest.size_hw;
  const alignCorners = manifest.align_corners ?? false; // null: the sizes are the same
  const rows = bilinearAxis(fromHeight, height, alignCorners);
  const columns = bilinearAxis(fromWidth, width, alignCorners);
  const scores = output.data as Float32Array;
  const label = (r: Axis, c: Axis) => upsampleArgmax(scores, classes, fromHeight, fromWidth, r, c);
  if (frame.height <= height && frame.width <= width) {
    return label(
      picked(rows, nearestIndices(height, frame.height)),
      picked(columns, nearestIndices(width, frame.width)),
    );
  }
  return nearest(label(rows, columns), width, height, frame.width, frame.height);
}

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  const answer = (reply: Reply) => self.postMessage(reply);
  const { number } = data;
  try {
    if (data.kind === "load") {
      await start(data.base, data.manifest, data.webgpu);
      answer({ kind: "loaded", number, device });
      return;
    }
    self.clearTimeout(idle);
    await warmed;
    const [labels, timings] = await segment(data.frame);
    answer({ kind: "labels", number, labels, timings });
  } catch (error) {
    answer({ kind: "failed", number, message: String(error) });
  }
};
