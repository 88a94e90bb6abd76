// Has a server segment: the one this page comes from.

import type { Engine, Model, Result } from "./engine";
import { fillRuns } from "./run_lengths";

interface ServedModel {
  name: string;
  labels: { names: string[]; palette: [number, number, number][] };
  training_data: string;
}

interface Answer {
  width: number;
  height: number;
  timings_ms: Record<string, number>;
  annotations: { category_id: number; segmentation: { counts: string } }[];
}

const READ = ["image/jpeg", "image/png", "image/webp", "image/tiff"]; // by the server
const QUALITY = 0.92; // of the JPEGs that frames are sent as

export class WrongKeyError extends Error {}

/** The server has no place now, and says when it may have one. */
export class BusyError extends Error {
  constructor(
    message: string,
    readonly waitMs: number,
  ) {
    super(message);
  }
}

export class ServerEngine implements Engine {
  readonly privacy = `The picture is sent to ${location.host}, which segments it and keeps nothing.`;
  readonly staysHere = false;
  readonly device = `the server at ${location.host}`;

  private constructor(
    readonly models: Model[],
    private readonly headers: Record<string, string>,
  ) {}

  static async start(key: string): Promise<ServerEngine> {
    const headers: Record<string, string> = key ? { "X-API-Key": key } : {};
    const response = await asked("v1/models", { headers });
    const { models } = (await response.json()) as { models: ServedModel[] };
    const described = models.map(({ name, labels, training_data }) => ({
      name,
      classes: labels.names.map((n, index) => ({ name: n, color: labels.palette[index] })),
      note: training_data,
    }));
    return new ServerEngine(described, headers);
  }

  async segment(frame: ImageData, model: number, file?: Blob): Promise<Result> {
    const begin = performance.now();
    const body = file && READ.includes(file.type) ? file : await encoded(frame);
    const sent = performance.now();
    const query = new URLSearchParams({
      model: this.models[model].name,
      as: "json",
      outlines: "rle",
    });
    const response = await asked(`v1/segment?${query}`, {
      method: "POST",
      body,
      headers: this.headers,
    });
    const { width, height, annotations, timings_ms } = (await response.json()) as Answer;
    const way = performance.now() - sent;
    const labels = new Uint8Array(width * height);
    for (const { category_id, segmentation } of annotations) {
      fillRuns(labels, width, height, segmentation.counts, category_id);
    }
    const served = Object.values(timings_ms).reduce((sum, ms) => sum + ms, 0);
    const timings = { encode: sent - begin, ...timings_ms, transfer: Math.max(0, way - served) };
    return { width, height, labels, timings };
  }
}

async function encoded(frame: ImageData): Promise<Blob> {
  const canvas = new OffscreenCanvas(frame.width, frame.height);
  canvas.getContext("2d")?.putImageData(frame, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
}

async function asked(address: string, request: RequestInit): Promise<Response> {
  const response = await fetch(address, request);
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string };
  const message = problem.detail ?? `the server answers ${response.status} ${response.statusText}`;
  if (response.status === 401) throw new WrongKeyError(message);
  const waitS = Number(response.headers.get("Retry-After"));
  throw waitS > 0 ? new BusyError(message, 1000 * waitS) : new Error(message);
}
