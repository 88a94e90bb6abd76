// Builds the page into the Python package, or where SWIFTSEG_PAGE says.
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

declare const process: { env: Record<string, string | undefined> };

const out = resolve(process.env.SWIFTSEG_PAGE ?? "../src/swiftseg/web/page");

// ONNX Runtime loads these by their address; its threads load them again. The version is part of
// the address, so that no cache mixes two.
const RUNTIME = "node_modules/onnxruntime-web";
const { version } = JSON.parse(readFileSync(join(RUNTIME, "package.json"), "utf8"));
const RUNTIME_FOLDER = `ort-${version}`;
const RUNTIME_FILES = ["ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify"].flatMap(
  (name) => [`${name}.mjs`, `${name}.wasm`],
);

function runtimeFiles(): Plugin {
  return {
    name: "onnxruntime-files",
    writeBundle() {
      mkdirSync(join(out, RUNTIME_FOLDER), { recursive: true });
      for (const file of RUNTIME_FILES) {
        copyFileSync(join(RUNTIME, "dist", file), join(out, RUNTIME_FOLDER, file));
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
