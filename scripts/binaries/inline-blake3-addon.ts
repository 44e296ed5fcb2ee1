import { constants, zstdCompressSync } from "node:zlib";
import type { Plugin } from "esbuild";

const parameters = { params: { [constants.ZSTD_c_compressionLevel]: 19 } };

/**
 * An esbuild plugin that puts BLAKE3's native module itself in the place of proto/pack/blake3-addon.ts, which loads it
 * from node_modules. The dynamic linker takes only files, so the program writes it to the temporary folder when it is
 * needed, and removes it as soon as it is mapped.
 */
export function inlineBlake3Addon(addon: Uint8Array): Plugin {
  const packed = zstdCompressSync(addon, parameters).toString("base64");
  return {
    name: "inline-blake3-addon",
    setup(build) {
      build.onLoad({ filter: /[/\\]proto[/\\]pack[/\\]blake3-addon\.ts$/ }, () => ({
        loader: "js",
        contents: `
          import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
          import { tmpdir } from "node:os";
          import { join } from "node:path";
          import { zstdDecompressSync } from "node:zlib";
          export function loadBlake3Addon() {
            const folder = mkdtempSync(join(tmpdir(), "pallet-"));
            try {
              const file = join(folder, "blake3.node");
              writeFileSync(file, zstdDecompressSync(Buffer.from(${JSON.stringify(packed)}, "base64")), { mode: 0o500 });
              const loaded = { exports: {} };
              process.dlopen(loaded, file);
              return loaded.exports;
            } finally {
              rmSync(folder, { recursive: true });
            }
          }
        `,
      }));
    },
  };
}
