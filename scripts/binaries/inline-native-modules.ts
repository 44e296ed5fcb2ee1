import { constants, zstdCompressSync } from "node:zlib";
import type { Plugin } from "esbuild";
import type { Architecture } from "./programs.ts";

/** A native module of an npm package, and the source file that loads it from node_modules. */
export interface NativeModule {
  readonly loadedBy: string;
  /** What that file exports: the function that loads it. */
  readonly functionName: string;
  readonly packageName: (architecture: Architecture) => string;
  /** Where it is in the package. */
  readonly file: (architecture: Architecture) => string;
}

/** Every native module that the programs use. */
export const nativeModules: readonly NativeModule[] = [
  {
    loadedBy: "proto/pack/blake3-addon.ts",
    functionName: "loadBlake3Addon",
    packageName: (architecture) => `@napi-rs/blake-hash-linux-${architecture}-gnu`,
    file: (architecture) => `blake.linux-${architecture}-gnu.node`,
  },
  {
    loadedBy: "proto/pack/koffi-addon.ts",
    functionName: "loadKoffiAddon",
    packageName: (architecture) => `@koromix/koffi-linux-${architecture}`,
    file: (architecture) => `linux_${architecture}/koffi.node`,
  },
];

/**
 * A native module as the text that a script carries it in.
 *
 * @param level of zstd(1); default: what packs best in a second
 */
export function packNativeModule(content: Uint8Array, level = 19): string {
  return zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: level } }).toString("base64");
}

/**
 * An esbuild plugin that puts packed native modules themselves in place of the files which load them from node_modules.
 * The dynamic linker takes only files, so the program writes one to the temporary folder when it is needed, and removes
 * it as soon as it is mapped. Only what a program imports gets into it.
 */
export function inlineNativeModules(addons: ReadonlyMap<NativeModule, string>): Plugin {
  return {
    name: "inline-native-modules",
    setup(build) {
      for (const [{ loadedBy, functionName }, packed] of addons) {
        const filter = new RegExp(`/${loadedBy.replaceAll(".", "\\.")}$`);
        build.onLoad({ filter }, () => ({
          loader: "js",
          contents: `
            import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
            import { tmpdir } from "node:os";
            import { join } from "node:path";
            import { zstdDecompressSync } from "node:zlib";
            export function ${functionName}() {
              const folder = mkdtempSync(join(tmpdir(), "pallet-"));
              try {
                const file = join(folder, "native.node");
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
      }
    },
  };
}
