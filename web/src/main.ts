// The page: a picture in, its classes out.

import { BrowserEngine } from "./browser_engine";
import type { ClassInfo, Engine, Result } from "./engine";
import { Legend } from "./legend";
import { palettePng } from "./palette_png";
import { BusyError, ServerEngine, WrongKeyError } from "./server_engine";
import { Film, readPicture } from "./sources";
import { Stage } from "./stage";
import type { Device, Manifest } from "./worker";

interface About {
  engine: "browser" | "server";
  needs_key?: boolean;
  manifest?: string;
}

function part<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const DEVICES: unknown[] = ["webgpu", "wasm"];
const controls = ["pick", "camera", "sample"].map((id) => part<HTMLButtonElement>(id));
const model = part<HTMLSelectElement>("model");
let engine: Engine; // once it has started
let film: Film | undefined;
let shown: { frame: ImageData; result: Result; classes: ClassInfo[]; file?: Blob } | undefined;
let turn = 0; // of what is asked for last: an earlier answer that comes late is dropped

const stage = new Stage((label) => {
  part("pointed").textContent = shown?.classes[label ?? -1]?.name ?? "–";
});
const legend = new Legend(
  part("legend"),
  (label) => stage.highlight(label),
  (labels) => stage.hide(labels),
);

function classes() {
  return engine.models[model.selectedIndex].classes;
}

function tell(message: string, failed = false): void {
  const status = part("status");
  if (status.textContent !== message) status.textContent = message; // else it is read out again
  status.classList.toggle("failed", failed);
}

function tellFailure(error: unknown): void {
  tell(error instanceof Error ? error.message : String(error), true);
}

/** Shows a frame's labels; gives nothing where something else has been asked for meanwhile. */
async function segment(
  frame: ImageData,
  asked: number,
  file?: Blob,
): Promise<Result | undefined> {
  const chosen = model.selectedIndex;
  const result = await engine.segment(frame, chosen, file);
  if (asked !== turn || chosen !== model.selectedIndex) return undefined;
  shown = { frame, result, classes: classes(), file };
  stage.show(frame, result, shown.classes);
  legend.showShares(result);
  for (const id of ["save-labels", "save-overlay"]) part<HTMLButtonElement>(id).disabled = false;
  return result;
}

/** Waits for the model: a picture may be dropped before it is there. */
async function ready(): Promise<void> {
  if (engine === undefined) tell("Waiting for the model …");
  await started;
}

function showTimings(timings: Record<string, number>, ...more: [string, string][]): void {
  const total = Object.values(timings).reduce((sum, ms) => sum + ms, 0);
  const rows = Object.entries({ ...timings, total }).map(([name, ms]) => [name, `${ms.toFixed(1)} ms`]);
  part("timings").replaceChildren(
    ...[...rows, ...more].flatMap(([name, value]) => [element("dt", name), element("dd", value)]),
  );
}

function element(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

async function openPicture(file: Blob): Promise<void> {
  stop();
  const asked = ++turn;
  try {
    tell("Reading the picture …");
    const begin = performance.now();
    const frame = await readPicture(file);
    const opened = performance.now() - begin;
    await ready();
    tell("Segmenting …");
    const result = await segment(frame, asked, file);
    if (result === undefined) return;
    showTimings({ open: opened, ...result.timings });
    tell(`Done: ${frame.width} × ${frame.height} pixels, by ${engine.device}.`);
  } catch (error) {
    if (asked === turn) tellFailure(error);
  }
}

async function openFilm(open: () => Promise<Film>): Promise<void> {
  stop();
  const asked = ++turn;
  try {
    await ready();
    tell("Starting …");
    const opened = await open();
    if (asked !== turn) return opened.close();
    film = opened;
    part("stop").hidden = false;
    await play(opened, asked);
  } catch (error) {
    if (asked !== turn) return;
    stop();
    tellFailure(error);
  }
}

/**
 * Segments the newest frame again and again. Those in between are left out, and so is one for which
 * the server has no place.
 */
async function play(opened: Film, asked: number): Promise<void> {
  const ends: number[] = [];
  let segmented = 0;
  while (asked === turn) {
    const { frame, number } = await opened.frame();
    if (asked !== turn) return;
    const result = await segment(frame, asked).catch(async (error: unknown) => {
      if (asked === turn) await untilAskedAgain(error);
    });
    if (!result) continue;
    tell(`Playing, by ${engine.device}.`);
    const now = performance.now();
    ends.push(now);
    while (ends[0] < now - 2000) ends.shift();
    const fps = ends.length > 1 ? (1000 * (ends.length - 1)) / (now - ends[0]) : undefined;
    showTimings(
      result.timings,
      ["frames a second", fps?.toFixed(1) ?? "–"],
      ["frames left out", String(number - ++segmented)],
    );
  }
}

/** Waits for as long as a busy server says; other errors are raised. */
async function untilAskedAgain(error: unknown): Promise<void> {
  if (!(error instanceof BusyError)) throw error;
  const { waitMs } = error;
  tell(`The server cannot answer yet; the page asks again in ${waitMs / 1000} s.`);
  await new Promise((resolve) => setTimeout(resolve, waitMs));
}

function stop(): void {
  turn++;
  film?.close();
  if (film !== undefined) tell("Stopped.");
  film = undefined;
  part("stop").hidden = true;
}

function open(file: File | null | undefined): void {
  if (!file) return;
  if (file.type.startsWith("video/")) void openFilm(() => Film.ofFile(file));
  else void openPicture(file);
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function wireSources(): void {
  const input = part<HTMLInputElement>("file");
  part("pick").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    open(input.files?.[0]);
    input.value = ""; // so that the same file can be chosen again
  });
  part("camera").addEventListener("click", () => void openFilm(() => Film.ofCamera()));
  part("sample").addEventListener("click", async () => {
    await openPicture(await (await fetch("sample.webp")).blob());
  });
  part("stop").addEventListener("click", stop);
  document.addEventListener("paste", (event) => open(event.clipboardData?.files[0]));
}

function wireDrop(): void {
  const target = part("stage");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    target.classList.add("dragging");
  });
  document.addEventListener("dragleave", () => target.classList.remove("dragging"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    target.classList.remove("dragging");
    const file = event.dataTransfer?.files[0];
    if (file === undefined) tell("Nothing was dropped that is a file; drop a picture or a video.", true);
    else open(file);
  });
}

function wireView(): void {
  const opacity = part<HTMLInputElement>("opacity");
  const compare = part<HTMLInputElement>("compare");
  const apply = () => {
    stage.setOpacity(Number(opacity.value) / 100);
    stage.setCompare(Number(compare.value) / 100);
  };
  opacity.addEventListener("input", apply);
  compare.addEventListener("input", apply);
  apply();
  model.addEventListener("change", () => {
    showModel();
    if (film === undefined && shown !== undefined) void segmentAgain(shown.frame, shown.file);
  });
}

async function segmentAgain(frame: ImageData, file?: Blob): Promise<void> {
  const asked = ++turn;
  try {
    const result = await segment(frame, asked, file);
    if (result !== undefined) showTimings(result.timings);
  } catch (error) {
    if (asked === turn) tellFailure(error);
  }
}

function wireDownloads(): void {
  part("save-labels").addEventListener("click", async () => {
    if (shown === undefined) return;
    const { labels, width, height } = shown.result;
    save(await palettePng(labels, width, height, shown.classes), "labels.png");
  });
  part("save-overlay").addEventListener("click", async () => {
    save(await stage.overlay(), "overlay.png");
  });
}

function showModel(): void {
  legend.setClasses(classes());
  stage.hide(new Set());
  const { note } = engine.models[model.selectedIndex];
  part("note").textContent = note ? `The model has learned from: ${note}` : "";
}

function askForKey(refusal: string): Promise<string> {
  const dialog = part<HTMLDialogElement>("key-dialog");
  part("key-refusal").textContent = refusal;
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(part<HTMLInputElement>("key").value), {
      once: true,
    });
  });
}

async function startOnServer(needsKey: boolean): Promise<Engine> {
  let key = needsKey ? await askForKey("") : "";
  for (;;) {
    try {
      return await ServerEngine.start(key);
    } catch (error) {
      if (error instanceof WrongKeyError) key = await askForKey("This key is wrong.");
      else await untilAskedAgain(error);
    }
  }
}

async function startEngine(about: About): Promise<Engine> {
  if (about.engine === "server") return startOnServer(about.needs_key ?? false);
  const manifest = await fetchedJson<Manifest>(about.manifest as string);
  const device = new URLSearchParams(location.search).get("device");
  return BrowserEngine.start(manifest, DEVICES.includes(device) ? (device as Device) : null);
}

async function fetchedJson<T>(address: string): Promise<T> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  return (await response.json()) as T;
}

/**
 * Lets a service worker keep the files and add the headers that threads need; the page is loaded
 * once more through it. Where there is none, the network runs on one thread.
 */
async function isolate(): Promise<void> {
  if (!("serviceWorker" in navigator) || !window.isSecureContext) return;
  try {
    await navigator.serviceWorker.register("service_worker.js");
    await navigator.serviceWorker.ready;
    if (crossOriginIsolated || sessionStorage.getItem("isolated") !== null) return;
    sessionStorage.setItem("isolated", "tried");
  } catch (error) {
    console.warn("this browser lets the page keep nothing:", error); // as its settings say
    return;
  }
  location.reload();
  await new Promise(() => {}); // the page ends here
}

async function start(): Promise<void> {
  const about = await fetchedJson<About>("page.json");
  if (about.engine === "browser") await isolate();
  engine = await startEngine(about);
  const privacy = part("privacy");
  privacy.textContent = engine.privacy;
  privacy.classList.add(engine.staysHere ? "stays" : "leaves");
  model.replaceChildren(...engine.models.map(({ name }) => new Option(name)));
  model.disabled = false;
  showModel();
  for (const control of controls) control.disabled = false;
  tell(`Ready: ${engine.device}.`);
}

wireSources();
wireDrop();
wireView();
wireDownloads();
const started = start();
started.catch((error: unknown) => {
  part("privacy").textContent = "The model cannot be started.";
  tellFailure(error);
});
