import { defineConfig } from "vitest/config";

// A person's way through the studio: a real server, a real browser. ANYMASK_PYTHON and CHROMIUM name other programs.
export default defineConfig({
  test: {
    include: ["tests/browser/**/*.test.ts"],
    environment: "node",
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // One server and one browser at a time: two cores have enough to do with them.
    fileParallelism: false,
  },
});
