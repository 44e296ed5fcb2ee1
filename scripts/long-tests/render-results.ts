import { columns, type LongResult } from "./long-result.ts";

/** The checked-in page with the last result of every file of long tests, in the order of their names. */
export function renderResults(results: readonly LongResult[]): string {
  const rows = results
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))
    .map(({ file, passed, failed, minutes, endedAt, commit, machine }) =>
      [file, passed, failed, minutes, endedAt, commit, machine.replaceAll("|", "/")].join(" | "),
    );
  return [
    "# The long tests' last results",
    "",
    "Written by `npm run test:long`, which does not run automatically; commit it after each run. `.ci/run` shows how old each row is.",
    "",
    ...[columns.join(" | "), columns.map(() => "---").join(" | "), ...rows].map((row) => `| ${row} |`),
    "",
  ].join("\n");
}

/**
 * A line for every file of long tests: its last verdict and how old that is.
 *
 * @param files those that there are
 * @param ages how many commits came after each result's commit, by that; undefined where this history does not have it
 */
export function renderAges(
  files: readonly string[],
  results: readonly LongResult[],
  ages: ReadonlyMap<string, number | undefined>,
): string {
  const lines = files.map((file) => {
    const result = results.find((each) => each.file === file);
    if (result === undefined) return `${file}: never run`;
    const { passed, failed, minutes, endedAt, commit, machine } = result;
    const verdict = failed > 0 ? `FAILED: ${failed} of ${passed + failed}` : `passed: ${passed}`;
    const age = ages.get(commit);
    const when =
      age === undefined
        ? `at ${commit.slice(0, 12)}, which is not in this history`
        : `${age} ${age === 1 ? "commit" : "commits"} ago`;
    return `${file}: ${verdict}, ${when} (${endedAt}, ${minutes} min, ${machine})`;
  });
  return lines.length === 0 ? "no long tests\n" : `${lines.join("\n")}\n`;
}
