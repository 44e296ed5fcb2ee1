import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAnchors, parsePageReferences } from "../../rack/documented/parse-page-references.ts";

const found = (...lines: string[]) =>
  parsePageReferences(lines.join("\n")).map(({ kind, target, line }) => `${line} ${kind} ${target}`);

describe("what a page refers to", () => {
  it("are its links, pictures and definitions, but not addresses elsewhere", () => {
    assert.deepEqual(
      found("see [a](x.md#there) and ![b](y.svg)", "[c]: ../z.ts", "[d](https://example.org) [e](#here)"),
      ["1 link x.md#there", "1 link y.svg", "2 link ../z.ts", "3 link #here"],
    );
  });

  it("are paths of the tree in code spans, but not other words there", () => {
    assert.deepEqual(
      found("`controller/boot/` `plan-boot.ts` `proto/*.proto` `/etc/pallet/pallet.yaml` `bootcode.bin` `a/b` `test`"),
      ["1 path controller/boot/", "1 path plan-boot.ts", "1 path proto/*.proto", "1 path test"],
    );
  });

  it("are the npm scripts that it tells to run, in prose and in blocks", () => {
    assert.deepEqual(found("`npm test`", "```sh", "npm run test:one FILE # test/none.ts", "```"), [
      "1 script test",
      "3 script test:one",
    ]);
  });

  it("are not looked for in code blocks, except for scripts", () => {
    assert.deepEqual(found("```", "[a](b.md) `controller/none.ts`", "```"), []);
  });
});

describe("anchors of a page", () => {
  it("are as GitHub makes them", () => {
    assert.deepEqual(
      [...parseAnchors("# Each board, once\n```sh\n# no heading\n```\n## The `demo`\n## The demo\n")],
      ["each-board-once", "the-demo", "the-demo-1"],
    );
  });
});
