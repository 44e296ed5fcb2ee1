import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { type Asker, rpcRoles } from "../../controller/identity/rpc-roles.ts";
import { rewritesGolden } from "../golden.ts";
import { repository } from "./read-sources.ts";

const begin = "<!-- roles: begin -->";
const end = "<!-- roles: end -->";
const columns: readonly (readonly [Asker, string])[] = [
  ["viewer", "viewer"],
  ["operator", "operator"],
  ["admin", "admin"],
  ["netboot", "netboot agent"],
  ["resident", "resident agent"],
  ["expired-agent", "expired"],
  ["nobody", "nobody"],
];

/** The table, with methods that the same may call in one row. */
function drawRoles(): string {
  const rows = new Map<string, string[]>();
  for (const [method, askers] of rpcRoles) {
    const marks = columns.map(([asker]) => (askers.includes(asker) ? "yes" : " ")).join(" | ");
    rows.set(marks, [...(rows.get(marks) ?? []), `\`${method.slice(method.lastIndexOf("/") + 1)}\``]);
  }
  const head = ["", ...columns.map(([, title]) => title)];
  return [
    `| ${head.join(" | ")} |`,
    `| ${head.map(() => "---").join(" | ")} |`,
    ...[...rows].map(([marks, methods]) => `| ${[...new Set(methods)].join(", ")} | ${marks} |`),
  ].join("\n");
}

describe("the table of roles", () => {
  it("is drawn in the page of the doors; GOLDEN=write draws it", () => {
    const file = path.join(repository, "controller/rpc/README.md");
    const page = readFileSync(file, "utf8");
    const [from, to] = [page.indexOf(begin), page.indexOf(end)];
    assert.ok(from > 0 && to > from);
    const drawn = `${page.slice(0, from)}${begin}\n\n${drawRoles()}\n\n${page.slice(to)}`;
    if (rewritesGolden) writeFileSync(file, drawn);
    assert.equal(
      page === drawn || rewritesGolden,
      true,
      "rewrite it: GOLDEN=write npm run test:one -- documentation-roles",
    );
  });
});
