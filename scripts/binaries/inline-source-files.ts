import path from "node:path";
import type { Plugin } from "esbuild";
import { readSourceFiles } from "../../controller/artefacts/read-source-files.ts";

/**
 * An esbuild plugin that puts the text of a folder's files in the place of its module source-files.ts, which reads them
 * from beside itself: beside a single-file program nothing lies.
 */
export const inlineSourceFiles: Plugin = {
  name: "inline-source-files",
  setup(build) {
    build.onLoad({ filter: /[/\\]source-files\.ts$/ }, ({ path: file }) => ({
      contents: `export const sourceFiles = ${JSON.stringify(sorted(readSourceFiles(path.dirname(file))))};`,
    }));
  },
};

/** In the order of the names: that of a folder's entries differs from one copy of it to the next. */
function sorted(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
}
