import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseOsList } from "../../../../../controller/cli/os-list/parse-os-list.ts";
import { Failure } from "../../../../../proto/failure.ts";
import { limits } from "../../../../../proto/limits.ts";
import { aGroup, aList, anEntry } from "./a-list.ts";

const names = (text: string) =>
  parseOsList(text).items.map((item) =>
    item.kind === "image"
      ? [...item.entry.within, item.entry.name].join("/")
      : `${item.within.join("/")}→${item.reference}`,
  );

/** Subitems in subitems, so many levels of them. */
const nested = (levels: number): unknown => (levels === 0 ? anEntry() : aGroup(`level ${levels}`, nested(levels - 1)));

describe("a list of Raspberry Pi Imager", () => {
  it("has images, with what Imager knows of them", () => {
    const { items, problems } = parseOsList(aList(anEntry({ bmap_url: "https://example.org/a.bmap" })));
    assert.deepEqual(problems, []);
    assert.deepEqual(items, [
      {
        kind: "image",
        entry: {
          name: "Example OS Lite (64-bit)",
          within: [],
          description: "A port of Debian",
          url: "https://example.org/images/2026-11-01-example-lite.img.xz",
          downloadSha256: "cd".repeat(32),
          downloadBytes: 500_000_000,
          extractSha256: "ab".repeat(32),
          extractBytes: 2_000_000_000,
          bmapUrl: "https://example.org/a.bmap",
          devices: ["pi5-64bit", "pi4-64bit"],
          initFormat: "cloudinit-rpi",
          releaseDate: "2026-11-01",
        },
      },
    ]);
  });

  it("has them in its order, in groups, and in other lists", () => {
    const more = { name: "More", description: "", subitems_url: "more.json" };
    const text = aList(anEntry({ name: "a" }), aGroup("g", anEntry({ name: "b" }), more), anEntry({ name: "c" }));
    assert.deepEqual(names(text), ["a", "g/b", "g/More→more.json", "c"]);
  });

  it("passes over what only Imager can do", () => {
    assert.deepEqual(parseOsList(aList(anEntry({ url: "internal://format" }))), { items: [], problems: [] });
  });

  it("may leave out all but name and url", () => {
    const [item] = parseOsList(aList({ name: "a", url: "a.img", extract_sha256: "", extract_size: null })).items;
    assert.ok(item?.kind === "image");
    assert.deepEqual(
      [item.entry.extractSha256, item.entry.extractBytes, item.entry.devices, item.entry.description],
      [undefined, undefined, [], ""],
    );
  });

  for (const [title, entry, message] of [
    ["is no object", "text", /an entry is no object/],
    ["has no name", anEntry({ name: "" }), /has no name/],
    ["has an endless name", anEntry({ name: "n".repeat(5000) }), /name of 5000 characters/],
    [
      "has control characters in its name",
      anEntry({ name: "a\u001b[2J" }),
      /control characters in its name: "a\\u001b/,
    ],
    ["leads nowhere", { name: "a" }, /"a" is left out: it has no url/],
    ["has a negative size", anEntry({ extract_size: -1 }), /its extract_size is no number of bytes/],
    ["has a broken size", anEntry({ extract_size: 1.5 }), /its extract_size is no number of bytes/],
    ["has a size as text", anEntry({ image_download_size: "12" }), /its image_download_size is no number/],
    ["has an absurd size", anEntry({ image_download_size: 1e300 }), /its image_download_size is no number/],
    ["has a digest that is too short", anEntry({ extract_sha256: "ab".repeat(31) }), /its extract_sha256 is no hexa/],
    ["has a digest that is none", anEntry({ image_download_sha256: [] }), /its image_download_sha256 is no text/],
    ["has an endless address", anEntry({ url: `https://a/${"b".repeat(5000)}` }), /its url has more than 4096/],
    ["has an endless description", anEntry({ description: "d".repeat(2000) }), /its description has more/],
  ] as const)
    it(`leaves out an entry that ${title}, and tells it`, () => {
      const { items, problems } = parseOsList(aList(entry, anEntry({ name: "good" })));
      assert.equal(items.length, 1);
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.text ?? "", message);
    });

  it("leaves out what is too deep, or too much", () => {
    assert.equal(names(aList(nested(7))).length, 1);
    assert.match(parseOsList(aList(nested(8))).problems[0]?.text ?? "", /more than 8 levels deep/);
    assert.match(parseOsList(aList(nested(1)), Array(8).fill("a")).problems[0]?.text ?? "", /more than 8 levels/);
    const { items, problems } = parseOsList(aList(...Array.from({ length: 10_001 }, () => anEntry())));
    assert.deepEqual([items.length, problems.length], [10_000, 1]);
    assert.match(problems[0]?.text ?? "", /more than 10000 entries/);
  });

  for (const [title, text, message] of [
    ["no JSON", "<html>", /it is no JSON/],
    ["JSON of other things", "[]", /it has no "os_list"/],
    ["a list that is none", '{"os_list":{}}', /it has no "os_list"/],
    ["empty", "", /it is no JSON/],
    ["as many brackets as a list may have bytes", "[".repeat(limits.downloads.listBytes.most), /it is no JSON/],
  ] as const)
    it(`is refused when it is ${title}`, () => {
      assert.throws(
        () => parseOsList(text),
        (error) => error instanceof Failure && error.reason === "invalid" && message.test(error.message),
      );
    });
});
