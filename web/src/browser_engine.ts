// Segments in this browser, in a worker.

import type { Engine, Result } from "./engine";
import type { Device, Manifest, Reply, Request } from "./worker";

type Loaded = Extract<Reply, { kind: "loaded" }>;
type Labels = Extract<Reply, { kind: "labels" }>;

// `Omit` over each member of the union.
type Asked<T> = T extends Request ? Omit<T, "number"> : never;

export class BrowserEngine implements Engine {
  readonly privacy = "The picture stays on this machine: the network runs in this browser.";
  readonly staysHere = true;
  readonly models;
  device = "";
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), {
    type: "module",
  });
  private readonly waiting = new Map<number, [(reply: Reply) => void, (error: Error) => void]>();
  private last = 0;

  private constructor(manifest: Manifest) {
    this.models = [{ name: manifest.name, classes: manifest.classes, note: manifest.note }];
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.settle(data);
    this.worker.onerror = (event) => {
      for (const [, reject] of this.waiting.values()) reject(new Error(event.message));
      this.waiting.clear();
    };
  }

  static async start(manifest: Manifest, device: Device): Promise<BrowserEngine> {
    const engine = new BrowserEngine(manifest);
    const base = new URL("./", document.baseURI).href;
    const reply = (await engine.ask({ kind: "load", base, manifest, device })) as Loaded;
    engine.device = reply.device;
    return engine;
  }

  async segment(frame: ImageData): Promise<Result> {
    const { labels, timings, device } = (await this.ask({ kind: "segment", frame })) as Labels;
    this.device = device; // another one where WebGPU has failed
    return { width: frame.width, height: frame.height, labels, timings };
  }

  private ask(request: Asked<Request>): Promise<Reply> {
    const number = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, [resolve, reject]);
      this.worker.postMessage({ ...request, number });
    });
  }

  private settle(reply: Reply): void {
    const [resolve, reject] = this.waiting.get(reply.number) ?? [];
    this.waiting.delete(reply.number);
    if (reply.kind === "failed") reject?.(new Error(reply.message));
    else resolve?.(reply);
  }
}
