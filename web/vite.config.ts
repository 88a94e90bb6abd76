// Builds the page into the Python package, or where SWIFTSEG_PAGE says.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

declare const process: { env: Record<string, string | undefined> };

const out = resolve(process.env.SWIFTSEG_PAGE ?? "../src/swiftseg/web/page");

// ONNX Runtime loads these by their address; its threads load them again. The version is part of
// the address, so that no cache mixes two.
const RUNTIME = "node_modules/onnxruntime-web";
const { version } = JSON.parse(readFileSync(join(RUNTIME, "package.json"), "utf8"));
const RUNTIME_FOLDER = `ort-${version}`;
const RUNTIME_BUILDS = ["ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify"];

function runtimeFiles(): Plugin {
  return {
    name: "onnxruntime-files",
    writeBundle() {
      const folder = join(out, RUNTIME_FOLDER);
      mkdirSync(folder, { recursive: true });
      for (const name of RUNTIME_BUILDS) {
        copyFileSync(join(RUNTIME, "dist", `${name}.mjs`), join(folder, `${name}.mjs`));
        // Packed, since an installation keeps it and only `swiftseg export --format web` needs it.
        const wasm = readFileSync(join(RUNTIME, "dist", `${name}.wasm`));
        writeFileSync(join(folder, `${name}.wasm.gz`), gzipSync(wasm, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "./", // a static export may lie in any folder
  resolve: {
    conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "production"],
  },
  define: { RUNTIME_FOLDER: JSON.stringify(`${RUNTIME_FOLDER}/`) },
  worker: { format: "es" },
  build: { outDir: out, emptyOutDir: true, target: "es2022", assetsInlineLimit: 0 },
  plugins: [runtimeFiles()],
});
