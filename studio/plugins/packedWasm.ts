/** Of the WebAssembly that is built only the compressed file is kept: 3.7 MB in place of 14.2 in the wheel. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { constants, gunzipSync, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/**
 * NAME.wasm becomes NAME.wasm.gz, which the server gives out under the first name. A file that the build before packed is
 * taken over if it holds the same: other versions of zlib pack the same bytes otherwise.
 */
export function packedWasm(): Plugin {
  let before: ReadonlyMap<string, Buffer> = new Map();
  return {
    name: "packed-wasm",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      before = packedIn(resolve(config.root, config.build.outDir, config.build.assetsDir));
    },
    generateBundle(_options, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type !== "asset" || !name.endsWith(".wasm")) continue;
        delete bundle[name];
        const fileName = `${name}.gz`;
        this.emitFile({
          type: "asset",
          fileName,
          source: packed(Buffer.from(file.source), before.get(fileName.split("/").at(-1) ?? "")),
        });
      }
    },
  };
}

function packedIn(folder: string): ReadonlyMap<string, Buffer> {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".wasm.gz")) : [];
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

function packed(content: Buffer, before: Buffer | undefined): Buffer {
  if (before !== undefined && gunzipSync(before).equals(content)) return before;
  return gzipSync(content, { level: constants.Z_BEST_COMPRESSION });
}
