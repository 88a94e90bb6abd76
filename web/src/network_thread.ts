// One of the network's threads: it waits in WebAssembly for the next frame.

import type { Kernel, Share } from "./network";

self.onmessage = async ({ data: { module, memory, thread } }: MessageEvent<Share>) => {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  self.postMessage("ready");
  (exports as unknown as Kernel).serve(thread);
};
