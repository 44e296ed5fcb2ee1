// The page of limits is the table of the code, and every limit of that table is kept by a module that reads it there.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { type Limit, limits } from "../../proto/limits.ts";
import { assertGolden } from "../golden.ts";
import { checkout } from "../programs/checkout.ts";
import { readSources } from "./read-sources.ts";

const page = "../../.github/LIMITS.md";
const rows = Object.entries(limits).flatMap(([room, inRoom]) =>
  Object.entries<Limit>(inRoom).map(([name, limit]) => ({ path: `${room}.${name}`, ...limit })),
);

describe("the limits", () => {
  it("are drawn in the page; GOLDEN=write draws them", () => {
    assertGolden(page, drawPage());
  });

  it("are whole numbers, and each says of what, and why", () => {
    for (const { path: name, most, unit, reason } of rows) {
      assert.ok(Number.isSafeInteger(most) && most > 0, name);
      assert.ok(unit.length > 3 && reason.length > 10, name);
      assert.doesNotMatch(unit + reason, /[|\n]/, name);
    }
  });

  it("are each kept by a module that reads it in the table", async () => {
    const files = (await Promise.all(["agent", "controller", "proto"].map(readSources))).flat();
    const text = (await Promise.all(files.map(({ file }) => readFile(path.join(checkout, file), "utf8")))).join("\n");
    const unread = rows.filter(
      (row) => !new RegExp(`[lL]imits\\.${row.path.replace(".", "\\.")}\\.most\\b`).test(text),
    );
    assert.deepEqual(
      unread.map((row) => row.path),
      [],
      "nothing reads these",
    );
  });
});

function drawPage(): string {
  const cells = [
    ["Limit", "Most", "Unit", "Why, and what happens"],
    ...rows.map(({ path: name, most, unit, reason }) => [`\`${name}\``, grouped(most), unit, reason]),
  ];
  const table = cells.map((row) => `| ${row.join(" | ")} |`);
  return `# Limits

Every bound on what nodes, operators and strangers can send. The table is drawn from \`proto/limits.ts\`, where the programs
read it; \`GOLDEN=write npm run test:one -- documentation-limits\` draws it.

${[table[0], "| --- | --: | --- | --- |", ...table.slice(1)].join("\n")}
`;
}

function grouped(most: number): string {
  return most.toLocaleString("en-US");
}
