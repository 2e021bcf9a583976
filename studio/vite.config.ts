/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig } from "vite";
import { packedWasm } from "./plugins/packedWasm.ts";

// `npm run dev` shows the sources against a running `anymask studio`; STUDIO_SERVER names another address.
const server = process.env["STUDIO_SERVER"] ?? "http://127.0.0.1:8765";

export default defineConfig({
  plugins: [react(), packedWasm()],
  // onnxruntime-web without its WebAssembly inside; the worker names the file (src/api/browser/worker.ts).
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", ...defaultClientConditions] },
  worker: { format: "es", plugins: () => [packedWasm()] },
  build: {
    outDir: "../src/anymask/studio/static",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    reportCompressedSize: false,
  },
  server: {
    port: 5173,
    proxy: { "/api": { target: server, changeOrigin: true, headers: { origin: server } } },
  },
  test: { include: ["tests/{core,api,ui}/**/*.test.ts"], environment: "node" },
});
