// What the page asks of whoever segments: this browser, or a server.

export interface ClassInfo {
  name: string;
  color: [number, number, number];
}

export interface Model {
  name: string;
  classes: ClassInfo[];
  note: string;
}

/** Labels uint8 of a picture, row by row, and what they took in milliseconds by stage. */
export interface Result {
  width: number;
  height: number;
  labels: Uint8Array;
  timings: Record<string, number>;
}

export interface Engine {
  models: Model[];
  /** Where pictures go, in one sentence. */
  privacy: string;
  staysHere: boolean;
  /** What computes, such as "WebAssembly, 4 threads". */
  device: string;
  /** @param file the picture as it was given, where it was given as a file */
  segment(frame: ImageData, model: number, file?: Blob): Promise<Result>;
}
