import path from "node:path";
import type { Plugin } from "esbuild";
import { readSourceFiles } from "../../controller/artefacts/read-source-files.ts";

/** An esbuild plugin that puts the files themselves in the place of every source-files.ts, which would read them. */
export function inlineSourceFiles(): Plugin {
  return {
    name: "inline-source-files",
    setup(build) {
      build.onLoad({ filter: /[/\\]source-files\.ts$/ }, ({ path: file }) => ({
        contents: `export const sourceFiles = ${JSON.stringify(readSourceFiles(path.dirname(file)))};`,
        loader: "ts",
      }));
    },
  };
}
