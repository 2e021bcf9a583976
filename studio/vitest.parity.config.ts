import { defineConfig } from "vitest/config";

// Against answers of the Python model, which tests/studio/test_browser_decoder.py writes into the folder PARITY.
export default defineConfig({ test: { include: ["tests/parity/**/*.test.ts"], environment: "node" } });
