/** A test file. */
export interface TestFile {
  readonly path: string;
  readonly text: string;
}

/** Of Node's own modules, those that change nothing outside of what calls them. */
const harmless = new Set(
  "assert/strict buffer crypto events fs fs/promises os path stream test timers/promises url util zlib".split(" "),
);

/** What a file that needs a process of its own has: programs, servers, the environment, mocks, timers. */
const ownProcess =
  /\bprocess\.|\bmock\b|\bexeca\b|\bfetch\(|setTimeout|setInterval|import\(|\/(?:a-console|a-controller|served-controller|requirements)\.ts"|(?:-process|-program|-server|-rack|-folder[a-z-]*)\.ts"/;

/** Whether a test file can be run in one process with others: it calls pure code, and leaves nothing behind. */
export function isSociable(text: string): boolean {
  const modules = [...text.matchAll(/from "node:([^"]+)"/g)].map(([, name = ""]) => name);
  return modules.every((name) => harmless.has(name)) && !ownProcess.test(text);
}

/**
 * Puts test files that can share a process together, because to start one takes as long as the tests of several. The
 * others stay as they are, each alone and first, in their order.
 *
 * @param most how many share one
 */
export function groupTests(
  files: readonly TestFile[],
  most: number,
): { readonly alone: readonly string[]; readonly groups: readonly (readonly string[])[] } {
  const { shared = [], alone = [] } = Object.groupBy(files, ({ text }) => (isSociable(text) ? "shared" : "alone"));
  const count = Math.ceil(shared.length / most);
  // Dealt out, so that a folder of longer tests is in several.
  const groups = Array.from({ length: count }, (_, group) =>
    shared.filter((_file, at) => at % count === group).map(({ path }) => path),
  );
  return { alone: alone.map(({ path }) => path), groups };
}

/** The module that runs the files of a group. */
export function renderGroup(urls: readonly string[]): string {
  return urls.map((url) => `import ${JSON.stringify(url)};\n`).join("");
}
