// Runs the network beside the page, so that the page stays quick.

import type * as Ort from "onnxruntime-web/wasm";
import networkAddress from "../build/network.wasm?url";
import upsamplerAddress from "../build/upsample_argmax.wasm?url";
import { Network, type Plan } from "./network";
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
  /** Of the network in the page's own WebAssembly; null where that cannot run it. */
  plan: Plan | null;
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
  upsampler: Promise<Upsampler>;
}

/** What a network gives: float32 scores, or labels. */
interface Output {
  data: Ort.Tensor["data"];
  dims: readonly number[];
  dispose?(): void;
}

interface Loaded {
  /** Takes uint8 RGB of the network's size. */
  infer(rgb: Uint8Array): Output | Promise<Output>;
  manifest: Manifest;
  upsampler: Upsampler;
  device: string;
  /** Loads the model for WebAssembly instead; absent where that computes. */
  retreat?: (error: unknown) => Promise<Loaded>;
}

const IDLE_MS = 500;

let loaded: Loaded | undefined;
let idle: number | undefined;

async function load({ base, manifest, device }: Request & { kind: "load" }): Promise<Loaded> {
  const upsampler = fetched(upsamplerAddress).then((binary) => Upsampler.start(binary));
  const given = { base, manifest, upsampler };
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
    const model = modelOf(given); // while the runtime loads
    const ort = await import("onnxruntime-web/webgpu");
    const infer = await startedSession(ort, "webgpu", given, await model);
    const gpu = (await ort.env.webgpu.device) as { lost: Promise<{ message: string }> };
    const lost = gpu.lost.then(({ message }) => Promise.reject(new Error(message)));
    lost.catch(() => {}); // whoever runs then hears of it
    const started = {
      infer: (rgb: Uint8Array) => Promise.race([infer(rgb), lost]), // of which a run need not hear
      manifest: given.manifest,
      upsampler: await given.upsampler,
      device: "WebGPU",
      retreat,
    };
    await started.infer(blankFrame(given.manifest)); // compiles shaders, and may find that it cannot
    return started;
  } catch (error) {
    return retreat(error);
  }
}

/** @param refusal why not WebGPU, where it was tried or asked for */
async function onWasm(given: Given, refusal?: string): Promise<Loaded> {
  if (refusal !== undefined) console.warn(`WebAssembly computes, since ${refusal}`);
  const { infer, threads } = (await plannedNetwork(given)) ?? (await ortNetwork(given));
  const words = `WebAssembly, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  const device = refusal === undefined ? words : `${words} (${refusal})`;
  return { infer, manifest: given.manifest, upsampler: await given.upsampler, device };
}

/** The network in the page's own kernel, or nothing where that cannot run it. */
async function plannedNetwork({ base, manifest: { plan } }: Given) {
  if (plan === null) return undefined;
  try {
    const files = [networkAddress, new URL(plan.file, base).href];
    const [binary, content] = await Promise.all(files.map(fetched));
    const network = await Network.start(binary, plan, content, maxThreads());
    const dims = [1, ...plan.shape];
    const infer = (rgb: Uint8Array): Output => ({ data: network.run(rgb), dims });
    return { infer, threads: network.threads };
  } catch (error) {
    console.warn(`ONNX Runtime computes, since ${reasonOf(error)}`);
    return undefined;
  }
}

async function ortNetwork(given: Given) {
  const model = modelOf(given); // while the runtime loads
  const ort = await import("onnxruntime-web/wasm");
  const infer = await startedSession(ort, "wasm", given, await model);
  return { infer, threads: maxThreads() };
}

/** Without isolation browsers give a page no memory that threads share. */
function maxThreads(): number {
  return self.crossOriginIsolated ? Math.min(8, navigator.hardwareConcurrency) : 1;
}

function modelOf({ base, manifest }: Given): Promise<Uint8Array> {
  return fetched(new URL(manifest.file, base).href);
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
  { base, manifest }: Given,
  model: Uint8Array,
): Promise<(rgb: Uint8Array) => Promise<Output>> {
  ort.env.wasm.wasmPaths = new URL(RUNTIME_FOLDER, base).href;
  ort.env.wasm.numThreads = maxThreads();
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  return async (rgb) => {
    const frames = new ort.Tensor("uint8", rgb, [1, ...manifest.size_hw, 3]);
    const outputs = await session.run({ [manifest.input]: frames }, [manifest.output]);
    return outputs[manifest.output];
  };
}

/** Infers by whatever is loaded, and by WebAssembly from when WebGPU fails. */
async function inferOrRetreat(by: Loaded, rgb: Uint8Array): Promise<Output> {
  try {
    return await by.infer(rgb);
  } catch (error) {
    if (by.retreat === undefined) throw error;
    loaded = await by.retreat(error);
    return loaded.infer(rgb);
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
  output.dispose?.();
  const timings = {
    resize: resized - begin,
    network: inferred - resized,
    labels: performance.now() - inferred,
  };
  return [labels, timings];
}

/** Makes a frame's labels of scores; of a smaller frame only those that it keeps. */
function labelsOf(
  output: Output,
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
  const { infer, manifest } = loaded;
  await Promise.resolve(infer(blankFrame(manifest))).catch(() => {}); // a picture would say why
}

let turn = Promise.resolve(); // the runtime takes one frame at a time

self.onmessage = ({ data }: MessageEvent<Request>) => {
  self.clearTimeout(idle);
  turn = turn.then(() => answer(data));
};
