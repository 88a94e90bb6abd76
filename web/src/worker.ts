// Runs the network beside the page, so that the page stays quick.

import type * as Ort from "onnxruntime-web/wasm";
import { nearest, resizeToRgb } from "./resize";
import { upsampleArgmax } from "./upsample_argmax";

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

let loaded: Loaded | undefined;
let device = "";

async function start(base: string, manifest: Manifest, webgpu: boolean): Promise<void> {
  const file = new URL(manifest.file, base).href;
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file}: ${response.status} ${response.statusText}`);
  const model = new Uint8Array(await response.arrayBuffer());
  if (webgpu && (await hasWebGpu())) {
    try {
      await startWith(await import("onnxruntime-web/webgpu"), "webgpu", base, manifest, model);
      device = "WebGPU";
      return;
    } catch (error) {
      console.warn("WebGPU cannot run the model, WebAssembly does:", error);
    }
  }
  await startWith(await import("onnxruntime-web/wasm"), "wasm", base, manifest, model);
  const threads = loaded?.ort.env.wasm.numThreads ?? 1;
  device = `WebAssembly, ${threads} ${threads === 1 ? "thread" : "threads"}`;
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
  await infer(new Uint8Array(manifest.size_hw[0] * manifest.size_hw[1] * 3)); // warms it
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
    ? (output.data as Uint8Array)
    : upsampleArgmax(
        output.data as Float32Array,
        output.dims[1],
        output.dims[2],
        output.dims[3],
        height,
        width,
        manifest.align_corners,
      );
  const labeled = performance.now();
  const restored = nearest(labels, width, height, frame.width, frame.height);
  output.dispose();
  const timings = {
    resize: resized - begin,
    network: inferred - resized,
    labels: labeled - inferred,
    restore: performance.now() - labeled,
  };
  return [restored, timings];
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
    const [labels, timings] = await segment(data.frame);
    answer({ kind: "labels", number, labels, timings });
  } catch (error) {
    answer({ kind: "failed", number, message: String(error) });
  }
};
