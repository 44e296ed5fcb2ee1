// Where the documentation sends its readers, there is what it says: pages, headings, files, folders, npm scripts.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { checkout } from "../programs/checkout.ts";
import { listPages } from "../rack/documented/list-pages.ts";
import { type PageReference, parseAnchors, parsePageReferences } from "../rack/documented/parse-page-references.ts";

const read = (page: string) => readFileSync(path.join(checkout, page), "utf8");
const pages = await listPages();
const scripts: unknown = JSON.parse(read("package.json")).scripts;
const names = new Set(
  globSync("{agent,controller,proto,scripts,test}/**/*", { cwd: checkout }).map((file) => path.basename(file)),
);

/** The references of that kind on all pages that `leads` denies, each with its place. */
function dead(kind: PageReference["kind"], leads: (page: string, target: string) => boolean): readonly string[] {
  return pages.flatMap((page) =>
    parsePageReferences(read(page))
      .filter((reference) => reference.kind === kind && !leads(page, reference.target))
      .map(({ line, target }) => `${page}:${line}: ${target}`),
  );
}

describe("the documentation's references", () => {
  it("are found at all", () => {
    const all = pages.flatMap((page) => parsePageReferences(read(page)));
    for (const kind of ["link", "path", "script"])
      assert.ok(all.filter((each) => each.kind === kind).length > 10, kind);
  });

  it("lead to files and headings that exist", () => {
    const leads = (page: string, link: string) => {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? page : path.join(path.dirname(page), file);
      if (!existsSync(path.join(checkout, target))) return false;
      return anchor === undefined || parseAnchors(read(target)).has(anchor);
    };
    assert.deepEqual(dead("link", leads), []);
  });

  it("name paths that exist: from the top, from the page's folder, or a file's name alone", () => {
    const leads = (page: string, named: string) =>
      globSync(named, { cwd: checkout }).length > 0 ||
      globSync(named, { cwd: path.join(checkout, path.dirname(page)) }).length > 0 ||
      (!named.includes("/") && names.has(named));
    assert.deepEqual(dead("path", leads), []);
  });

  it("name npm scripts that package.json has", () => {
    assert.deepEqual(
      dead("script", (_, name) => Object.hasOwn(scripts as object, name)),
      [],
    );
  });

  it("reach every page from README", () => {
    const reached = new Set(["README.md"]);
    for (const page of reached) {
      for (const { kind, target } of parsePageReferences(read(page))) {
        const file = path.join(path.dirname(page), target.split("#")[0] ?? "");
        if (kind === "link" && pages.includes(file)) reached.add(file);
      }
    }
    assert.deepEqual(
      pages.filter((page) => !reached.has(page)),
      [],
    );
  });
});

describe("README", () => {
  const lines = read("README.md").trimEnd().split("\n");

  it("is a front door: 120 lines and 1,200 words at most; the reference is beside the code", () => {
    assert.ok(lines.length <= 120, `${lines.length} lines`);
    const words = lines.join(" ").split(/\s+/).length;
    assert.ok(words <= 1200, `${words} words`);
  });

  it("has every command of the command line in its table", () => {
    const sources = globSync("controller/cli/commands/*.ts", { cwd: checkout }).map(read).join("\n");
    const shown = [...sources.matchAll(/\.command\("([a-z-]+)[^"]*"(?<hidden>, \{ hidden: true \})?/g)];
    const commands = shown.flatMap(({ 1: word = "", groups }) => (groups?.["hidden"] === undefined ? [word] : []));
    assert.ok(commands.length > 25);
    const table = lines.filter((line) => line.startsWith("| `controller")).join("\n");
    assert.deepEqual(
      commands.filter((word) => !new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(table)),
      [],
    );
  });

  it("says under which licence this is, as package.json and LICENSE do", () => {
    assert.equal(JSON.parse(read("package.json")).license, "Apache-2.0");
    assert.match(read("LICENSE"), /^\s+Apache License\n\s+Version 2\.0, January 2004$/m);
    assert.ok(lines.some((line) => line.includes("Apache License 2.0")));
  });
});
