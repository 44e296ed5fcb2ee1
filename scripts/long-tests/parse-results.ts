import { columns, type LongResult } from "./long-result.ts";

/** Reads the table that renderResults made. Throws an Error naming the line that does not fit, and the remedy. */
export function parseResults(text: string): readonly LongResult[] {
  const lines = text.split("\n").map((line, index) => ({ line, number: index + 1 }));
  const [header, , ...rows] = lines.filter(({ line }) => line.startsWith("|"));
  if (header === undefined || cells(header.line).join() !== columns.join())
    throw new Error(`the table of long tests has no line "| ${columns.join(" | ")} |"`);
  const results = rows.map(({ line, number }) => parseRow(cells(line), number));
  for (const [index, { file }] of results.entries())
    if (results.findIndex((other) => other.file === file) !== index)
      throw new Error(`the table of long tests has ${file} twice; npm run test:long writes one row per file`);
  return results;
}

function cells(line: string): readonly string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function parseRow(row: readonly string[], number: number): LongResult {
  const [file = "", passed = "", failed = "", minutes = "", endedAt = "", commit = "", machine = ""] = row;
  const fits =
    row.length === columns.length &&
    /^test\/long\/[a-z0-9-]+\.test\.ts$/.test(file) &&
    [passed, failed, minutes].every((cell) => /^\d+$/.test(cell)) &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/.test(endedAt) &&
    /^[0-9a-f]{40}$/.test(commit) &&
    machine !== "";
  if (!fits)
    throw new Error(
      `line ${number} of the table of long tests is not in the form that npm run test:long writes: ${row.join(" | ")}`,
    );
  return { file, passed: Number(passed), failed: Number(failed), minutes: Number(minutes), endedAt, commit, machine };
}
