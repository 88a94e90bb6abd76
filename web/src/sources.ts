// Where pictures come from: files, videos and the camera.

const MAX_PIXELS = 40_000_000; // as the server's; more would not fit many machines' memory

/** Decodes a picture upright, with its colors as they are stored. */
export async function readPicture(file: Blob): Promise<ImageData> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, {
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch {
    const name = file instanceof File ? file.name : "what was pasted";
    throw new Error(`${name} is no picture this browser can read; choose a JPEG, PNG or WebP file`);
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) {
    bitmap.close();
    throw new Error(`the picture has more than ${MAX_PIXELS / 1e6} megapixels; make it smaller`);
  }
  return pixelsOf(bitmap, width, height);
}

function pixelsOf(source: CanvasImageSource, width: number, height: number): ImageData {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", {
    willReadFrequently: true,
  }) as OffscreenCanvasRenderingContext2D;
  context.drawImage(source, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** A video that gives its newest frame whenever it is asked. */
export class Film {
  private readonly video = document.createElement("video");
  private end!: () => void;
  private before: number | undefined; // frames shown before the first that was asked for
  private readonly ended = new Promise<never>((_, reject) => {
    this.end = () => reject(new Error("the camera has stopped; plug it in and start it again"));
  });

  private constructor(private readonly onClose: () => void) {
    this.ended.catch(() => {}); // whoever waits for a frame hears of it
    this.video.muted = true;
    this.video.playsInline = true;
  }

  static async ofFile(file: File): Promise<Film> {
    const address = URL.createObjectURL(file);
    const film = new Film(() => URL.revokeObjectURL(address));
    film.video.loop = true;
    film.video.src = address;
    await film.play(`${file.name} is no video this browser can play; choose an MP4 or WebM file`);
    return film;
  }

  static async ofCamera(): Promise<Film> {
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`the camera cannot be used (${reason}); allow it for this page`);
    }
    const film = new Film(() => stream.getTracks().forEach((track) => track.stop()));
    film.video.srcObject = stream;
    await film.play("the camera gives no picture; unplug it and plug it in again");
    stream.getVideoTracks()[0].addEventListener("ended", () => film.end());
    return film;
  }

  private async play(failure: string): Promise<void> {
    const plays = await this.video.play().then(
      () => this.video.videoWidth > 0, // a film may be sound alone
      () => false,
    );
    if (plays) return;
    this.close();
    throw new Error(failure);
  }

  /** The frame that is shown now, and its number, from 1; waits for one that has not been given yet. */
  async frame(): Promise<{ frame: ImageData; number: number }> {
    const shown = new Promise<number>((resolve) => {
      this.video.requestVideoFrameCallback((_, { presentedFrames }) => resolve(presentedFrames));
    });
    const presented = await Promise.race([shown, this.ended]);
    this.before ??= presented - 1;
    const frame = pixelsOf(this.video, this.video.videoWidth, this.video.videoHeight);
    return { frame, number: presented - this.before };
  }

  close(): void {
    this.video.pause();
    this.onClose();
  }
}
