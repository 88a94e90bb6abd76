// Runs the network beside the page, so that the page stays quick.

import type * as Ort from "onnxruntime-web/wasm";
import kernelAddress from "../build/upsample_argmax.wasm?url";
import { nearest, nearestIndices, resizeToRgb } from "./resize";
import { type Axis, bilinearAxis, picked, Upsampler } from "./upsample_argmax";

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

/** What is asked to compute; null: a graphics processor where there is one. */
export type Device = "webgpu" | "wasm" | null;

export type Request =
  | { kind: "load"; number: number; base: string; manifest: Manifest; device: Device }
  | { kind: "segment"; number: number; frame: ImageData };

/** `device` is what computed, in words. */
export type Reply =
  | { kind: "loaded"; number: number; device: string }
  | {
      kind: "labels";
      number: number;
      device: string;
      labels: Uint8Array;
      timings: Record<string, number>;
    }
  | { kind: "failed"; number: number; message: string };

interface Given {
  base: string;
  manifest: Manifest;
  model: Promise<Uint8Array>;
  upsampler: Promise<Upsampler>;
}

interface Loaded {
  ort: typeof Ort;
  session: Ort.InferenceSession;
  manifest: Manifest;
  upsampler: Upsampler;
  device: string;
  /** Rejected when the graphics processor is lost, of which a run need not hear. */
  lost: Promise<never>;
  /** Loads the model for WebAssembly instead; absent where that computes. */
  retreat?: (error: unknown) => Promise<Loaded>;
}

const IDLE_MS = 500;

let loaded: Loaded | undefined;
let idle: number | undefined;

async function load({ base, manifest, device }: Request & { kind: "load" }): Promise<Loaded> {
  const model = fetched(new URL(manifest.file, base).href); // while the runtime loads
  const upsampler = fetched(kernelAddress).then((binary) => Upsampler.start(binary));
  const given = { base, manifest, model, upsampler };
  if (device !== "wasm" && (await hasWebGpu(device === "webgpu"))) return onWebGpu(given);
  return onWasm(given, device === "webgpu" ? "this browser has no WebGPU" : undefined);
}

/** Whether there is a graphics processor; one in software counts where it is asked for. */
async function hasWebGpu(countsSoftware: boolean): Promise<boolean> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<Adapter | null> } };
  const adapter = await gpu?.requestAdapter();
  return adapter != null && (countsSoftware || !adapter.info.isFallbackAdapter);
}

interface Adapter {
  info: { isFallbackAdapter?: boolean };
}

async function onWebGpu(given: Given): Promise<Loaded> {
  const retreat = (error: unknown) => onWasm(given, `WebGPU failed: ${reasonOf(error)}`);
  try {
    const ort = await import("onnxruntime-web/webgpu");
    const session = await startedSession(ort, "webgpu", given);
    const gpu = (await ort.env.webgpu.device) as { lost: Promise<{ message: string }> };
    const lost = gpu.lost.then(({ message }) => Promise.reject(new Error(message)));
    lost.catch(() => {}); // whoever runs then hears of it
    const { manifest } = given;
    const upsampler = await given.upsampler;
    const started = { ort, session, manifest, upsampler, device: "WebGPU", lost, retreat };
    await infer(started, blankFrame(manifest)); // compiles shaders, and may find that it cannot
    return started;
  } catch (error) {
    return retreat(error);
  }
}

/** @param refusal why not WebGPU, where it was tried or asked for */
async function onWasm(given: Given, refusal?: string): Promise<Loaded> {
  if (refusal !== undefined) console.warn(`WebAssembly computes, since ${refusal}`);
  const ort = await import("onnxruntime-web/wasm");
  const session = await startedSession(ort, "wasm", given);
  const threads = ort.env.wasm.numThreads ?? 1;
  const words = `WebAssembly, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  const device = refusal === undefined ? words : `${words} (${refusal})`;
  const { manifest } = given;
  const upsampler = await given.upsampler;
  return { ort, session, manifest, upsampler, device, lost: new Promise(() => {}) };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function blankFrame({ size_hw: [height, width] }: Manifest): Uint8Array {
  return new Uint8Array(height * width * 3);
}

async function fetched(address: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function startedSession(
  ort: typeof Ort,
  provider: "webgpu" | "wasm",
  { base, model }: Given,
): Promise<Ort.InferenceSession> {
  ort.env.wasm.wasmPaths = new URL(RUNTIME_FOLDER, base).href;
  ort.env.wasm.numThreads = self.crossOriginIsolated
    ? Math.min(8, navigator.hardwareConcurrency)
    : 1; // without isolation browsers give a page no shared memory
  return ort.InferenceSession.create(await model, {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
}

async function infer({ ort, session, manifest, lost }: Loaded, rgb: Uint8Array): Promise<Ort.Tensor> {
  const frames = new ort.Tensor("uint8", rgb, [1, ...manifest.size_hw, 3]);
  const outputs = await Promise.race([
    session.run({ [manifest.input]: frames }, [manifest.output]),
    lost,
  ]);
  return outputs[manifest.output];
}

/** Infers by whatever is loaded, and by WebAssembly from when WebGPU fails. */
async function inferOrRetreat(by: Loaded, rgb: Uint8Array): Promise<Ort.Tensor> {
  try {
    return await infer(by, rgb);
  } catch (error) {
    if (by.retreat === undefined) throw error;
    loaded = await by.retreat(error);
    return infer(loaded, rgb);
  }
}

async function segment(frame: ImageData): Promise<[Uint8Array, Record<string, number>]> {
  if (loaded === undefined) throw new Error("no model is loaded");
  const { manifest, upsampler } = loaded;
  const [height, width] = manifest.size_hw;
  const begin = performance.now();
  const rgb = resizeToRgb(frame.data, frame.width, frame.height, width, height);
  const resized = performance.now();
  const output = await inferOrRetreat(loaded, rgb);
  const inferred = performance.now();
  const labels = manifest.labels
    ? nearest(output.data as Uint8Array, width, height, frame.width, frame.height)
    : labelsOf(output, manifest, upsampler, frame);
  output.dispose();
  const timings = {
    resize: resized - begin,
    network: inferred - resized,
    labels: performance.now() - inferred,
  };
  return [labels, timings];
}

/** Makes a frame's labels of scores; of a smaller frame only those that it keeps. */
function labelsOf(
  output: Ort.Tensor,
  manifest: Manifest,
  upsampler: Upsampler,
  frame: ImageData,
): Uint8Array {
  const [, classes, fromHeight, fromWidth] = output.dims;
  const [height, width] = manifest.size_hw;
  const alignCorners = manifest.align_corners ?? false; // null: the sizes are the same
  const rows = bilinearAxis(fromHeight, height, alignCorners);
  const columns = bilinearAxis(fromWidth, width, alignCorners);
  const scores = output.data as Float32Array;
  const label = (r: Axis, c: Axis) =>
    upsampler.labels(scores, classes, fromHeight, fromWidth, r, c);
  if (frame.height <= height && frame.width <= width) {
    return label(
      picked(rows, nearestIndices(height, frame.height)),
      picked(columns, nearestIndices(width, frame.width)),
    );
  }
  return nearest(label(rows, columns), width, height, frame.width, frame.height);
}

async function answer(request: Request): Promise<void> {
  const reply = (content: Reply) => self.postMessage(content);
  const { number } = request;
  try {
    if (request.kind === "load") {
      loaded = await load(request);
      reply({ kind: "loaded", number, device: loaded.device });
      idle = self.setTimeout(() => (turn = turn.then(warmUp)), IDLE_MS);
      return;
    }
    const [labels, timings] = await segment(request.frame);
    reply({ kind: "labels", number, device: loaded?.device ?? "", labels, timings });
  } catch (error) {
    reply({ kind: "failed", number, message: reasonOf(error) });
  }
}

/** The first run takes twice the time of later ones; a picture that comes at once is the first. */
async function warmUp(): Promise<void> {
  if (loaded?.retreat !== undefined || loaded === undefined) return; // WebGPU has run already
  await infer(loaded, blankFrame(loaded.manifest)).catch(() => {}); // a picture would say why
}

let turn = Promise.resolve(); // the runtime takes one frame at a time

self.onmessage = ({ data }: MessageEvent<Request>) => {
  self.clearTimeout(idle);
  turn = turn.then(() => answer(data));
};
