import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";

/**
 * An esbuild plugin that puts the values of what modules named source-files.ts export in their place. They read files
 * from beside themselves: beside a single-file program nothing lies.
 */
export const inlineSourceFiles: Plugin = {
  name: "inline-source-files",
  setup(build) {
    build.onLoad({ filter: /[/\\]source-files\.ts$/ }, async ({ path: file }) => {
      const exported: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href);
      const constants = Object.entries(exported).map(
        ([name, value]) => `export const ${name} = ${JSON.stringify(sorted(value))};`,
      );
      return { contents: constants.join("\n") };
    });
  },
};

/** In the order of the names: that of a folder's entries differs from one copy of it to the next. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
