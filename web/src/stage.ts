// The picture with the classes' colors over it.

import type { ClassInfo, Result } from "./engine";

function part<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

export class Stage {
  private readonly picture = part<HTMLCanvasElement>("picture");
  private readonly colors = part<HTMLCanvasElement>("colors");
  private readonly divider = part<HTMLDivElement>("divider");
  private readonly cursor = part<HTMLDivElement>("cursor");
  private result: Result | undefined;
  private classes: ClassInfo[] = [];
  private hidden = new Set<number>();
  private highlighted: number | undefined;
  private at: { x: number; y: number } | undefined; // of the pointer or the keyboard's cursor

  /** @param onPoint gets the class under the pointer, or undefined */
  constructor(private readonly onPoint: (label: number | undefined) => void) {
    this.picture.addEventListener("pointermove", (event) => this.point(event));
    this.picture.addEventListener("pointerdown", (event) => this.point(event));
    this.picture.addEventListener("keydown", (event) => this.step(event));
    for (const kind of ["pointerleave", "blur"]) {
      this.picture.addEventListener(kind, () => this.leave());
    }
  }

  show(frame: ImageData, result: Result, classes: ClassInfo[]): void {
    part("hint").hidden = true;
    part("frame").hidden = false;
    part("frame").style.setProperty("--aspect", String(frame.width / frame.height));
    part("stage").classList.add("filled");
    for (const canvas of [this.picture, this.colors]) {
      if (canvas.width !== frame.width) canvas.width = frame.width;
      if (canvas.height !== frame.height) canvas.height = frame.height;
    }
    this.picture.getContext("2d")?.putImageData(frame, 0, 0);
    this.result = result;
    this.classes = classes;
    this.paint();
    this.tell();
  }

  setOpacity(share: number): void {
    this.colors.style.opacity = String(share);
  }

  /** Leaves the colors out on the left part of the picture. */
  setCompare(share: number): void {
    this.colors.style.clipPath = `inset(0 0 0 ${100 * share}%)`;
    this.divider.hidden = share === 0;
    this.divider.style.left = `${100 * share}%`;
  }

  highlight(label: number | undefined): void {
    this.highlighted = label;
    this.paint();
  }

  hide(labels: Set<number>): void {
    this.hidden = labels;
    this.paint();
  }

  private paint(): void {
    const { result, classes, hidden, highlighted } = this;
    if (result === undefined) return;
    const painted = new Uint32Array(256); // RGBA, the first byte lowest
    classes.forEach(({ color: [red, green, blue] }, index) => {
      const dims = highlighted !== undefined && highlighted !== index;
      const alpha = hidden.has(index) ? 0 : dims ? 40 : 255;
      painted[index] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    });
    const pixels = new Uint32Array(result.labels.length);
    for (let at = 0; at < pixels.length; at++) pixels[at] = painted[result.labels[at]];
    const bytes = new Uint8ClampedArray(pixels.buffer);
    const image = new ImageData(bytes, result.width, result.height);
    this.colors.getContext("2d")?.putImageData(image, 0, 0);
  }

  /** The picture with its overlay as it is seen. */
  overlay(): Promise<Blob> {
    const canvas = new OffscreenCanvas(this.picture.width, this.picture.height);
    const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
    context.drawImage(this.picture, 0, 0);
    context.globalAlpha = Number(this.colors.style.opacity);
    context.drawImage(this.colors, 0, 0);
    return canvas.convertToBlob({ type: "image/png" });
  }

  private point(event: PointerEvent): void {
    const box = this.picture.getBoundingClientRect();
    this.at = {
      x: ((event.clientX - box.left) / box.width) * this.picture.width,
      y: ((event.clientY - box.top) / box.height) * this.picture.height,
    };
    this.cursor.hidden = true;
    this.tell();
  }

  private step(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const { width, height } = this.picture;
    const stride = Math.max(1, width / (event.shiftKey ? 200 : 40));
    const { x, y } = this.at ?? { x: width / 2, y: height / 2 };
    this.at = {
      x: Math.min(width - 1, Math.max(0, x + move[0] * stride)),
      y: Math.min(height - 1, Math.max(0, y + move[1] * stride)),
    };
    this.cursor.hidden = false;
    this.cursor.style.left = `${(100 * this.at.x) / width}%`;
    this.cursor.style.top = `${(100 * this.at.y) / height}%`;
    this.tell();
  }

  private leave(): void {
    this.at = undefined;
    this.cursor.hidden = true;
    this.tell();
  }

  private tell(): void {
    const { result, at } = this;
    if (result === undefined || at === undefined) return this.onPoint(undefined);
    const x = Math.trunc(at.x);
    const y = Math.trunc(at.y);
    const isInside = x >= 0 && y >= 0 && x < result.width && y < result.height;
    this.onPoint(isInside ? result.labels[y * result.width + x] : undefined);
  }
}
