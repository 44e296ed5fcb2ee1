import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Location, locationOf, shownLocation } from "../../../../../controller/cli/download/location.ts";
import { isDowngrade, loadCatalogue } from "../../../../../controller/cli/os-list/load-catalogue.ts";
import { pathOf } from "../../../../../controller/cli/os-list/os-list.ts";
import { chooseEntry, selectEntries } from "../../../../../controller/cli/os-list/select-entries.ts";
import { Failure } from "../../../../../proto/failure.ts";
import { aGroup, aList, anEntry } from "./a-list.ts";

const more = (name: string, subitemsUrl: string) => ({ name, description: "", subitems_url: subitemsUrl });

/** Loads the first of these lists; resolves also with what was read. */
async function load(start: string, lists: Readonly<Record<string, string>>) {
  const read: string[] = [];
  const catalogue = await loadCatalogue(locationOf(start), async (from: Location) => {
    const text = lists[shownLocation(from)];
    read.push(shownLocation(from));
    if (text === undefined) throw new Failure("fetch-failed", `the server answered 404`);
    return text;
  });
  return { ...catalogue, read, paths: catalogue.entries.map(pathOf), told: catalogue.problems.map(({ text }) => text) };
}

describe("a list and those that it leads to", () => {
  it("are read in order, from beside a file and from the web", async () => {
    const { paths, read, told } = await load("/srv/list.json", {
      "/srv/list.json": aList(more("A", "sub/a.json"), anEntry({ name: "own" }), more("B", "https://host/b.json")),
      "/srv/sub/a.json": aList(aGroup("g", anEntry({ name: "a" })), anEntry({ name: "a2", url: "a2.img" })),
      "https://host/b.json": aList(anEntry({ name: "b" })),
    });
    assert.deepEqual(paths, ["A / g / a", "A / a2", "own", "B / b"]);
    assert.deepEqual([read.length, told], [3, []]);
  });

  for (const [title, start, lists, kept, message] of [
    [
      "leads back to itself",
      "https://host/l",
      { "https://host/l": aList(more("A", "a"), anEntry({ name: "x" })), "https://host/a": aList(more("L", "l")) },
      ["x"],
      /^the list "A \/ L" \(https:\/\/host\/l\) is left out: it leads back to itself$/,
    ],
    [
      "leads back to itself, given by a relative path",
      "l.json",
      { "l.json": aList(more("A", "l.json")) },
      [],
      /is left out: it leads back to itself$/,
    ],
    ["is not there", "https://host/l", { "https://host/l": aList(more("A", "a")) }, [], /"A" .* left out: .*404/],
    [
      "is no list",
      "https://host/l",
      { "https://host/l": aList(more("A", "a")), "https://host/a": "<html>" },
      [],
      /left out: it is no JSON/,
    ],
    [
      "is named by http in a list that came by https",
      "https://host/l",
      { "https://host/l": aList(more("A", "http://host/a")), "http://host/a": aList(anEntry()) },
      [],
      /came by https names it by http/,
    ],
    [
      "is a file in a list from the web",
      "https://host/l",
      { "https://host/l": aList(more("A", "file:///etc/passwd")) },
      [],
      /no address on a web server/,
    ],
    ["is outside of its folder", "/srv/l", { "/srv/l": aList(more("A", "../etc/a")) }, [], /not in its folder/],
  ] as const)
    it(`leave out one that ${title}, and tell it`, async () => {
      const { paths, told } = await load(start, lists);
      assert.deepEqual(paths, kept);
      assert.equal(told.length, 1, told.join("\n"));
      assert.match(told[0] ?? "", message);
    });

  it("leave out an image whose address may not be fetched, without repeating a password", async () => {
    const entry = anEntry({ name: "x", url: "https://me:secret@host/a.img" });
    const { paths, told } = await load("/l", { "/l": aList(entry) });
    assert.deepEqual(paths, []);
    assert.match(told[0] ?? "", /^"x" is left out: .*with credentials/);
    assert.doesNotMatch(told[0] ?? "", /secret/);
  });

  it("are bounded, however often they name each other", async () => {
    const lists: Record<string, string> = {};
    for (let level = 0; level < 8; level += 1)
      lists[`https://host/${level}`] = aList(...Array.from({ length: 8 }, (_, i) => more(`${i}`, `${level + 1}`)));
    const { read, told } = await load("https://host/0", lists);
    assert.ok(read.length <= 64, `${read.length} were read`);
    assert.ok(told.includes("there are more than 64 lists; the others are left out"));
  });

  it("are refused when the first one cannot be read", async () => {
    await assert.rejects(load("https://host/none", {}), /404/);
  });
});

describe("what a list that came by https vouches for", () => {
  for (const [list, named, isOpen] of [
    ["https://host/l", "https://host/a", false],
    ["https://host/l", "http://host/a", true],
    ["http://host/l", "http://host/a", false],
    ["/srv/l", "http://host/a", false],
    ["/srv/l", "/srv/a", false],
  ] as const)
    it(`${isOpen ? "could be changed on" : "is as safe on"} the way from ${named}, named by ${list}`, () =>
      assert.equal(isDowngrade(locationOf(list), locationOf(named)), isOpen));
});

describe("an image in a list", () => {
  const from = "https://host/l";
  const catalogue = (...entries: unknown[]) => load(from, { [from]: aList(...entries) });

  it("is found by words in its name, its groups, its description or its devices", async () => {
    const { entries } = await catalogue(
      aGroup("Other", anEntry({ name: "Alpha", description: "A server" }), anEntry({ name: "Beta", devices: ["pi3"] })),
      anEntry({ name: "Gamma" }),
    );
    const found = (...words: string[]) => selectEntries(entries, words).map(({ name }) => name);
    assert.deepEqual(found(), ["Alpha", "Beta", "Gamma"]);
    assert.deepEqual(found("OTHER"), ["Alpha", "Beta"]);
    assert.deepEqual(found("other", "pi3"), ["Beta"]);
    assert.deepEqual(found("server"), ["Alpha"]);
    assert.deepEqual(found("none"), []);
  });

  it("is chosen by its name or its path, whatever the case", async () => {
    const all = await catalogue(aGroup("Other", anEntry({ name: "Alpha" })));
    for (const name of ["alpha", " Alpha ", "other / alpha"]) assert.equal(chooseEntry(all, name, from).name, "Alpha");
  });

  it("may stand in several places, if it is the same", async () => {
    const all = await catalogue(anEntry({ name: "a" }), aGroup("Other", anEntry({ name: "a" })));
    assert.deepEqual(chooseEntry(all, "a", from).within, []);
  });

  for (const [title, entries, name, message] of [
    ["is not there", [anEntry()], "none", /https:\/\/host\/l has no image "none": .*images search --from/],
    [
      "is not there, in a list of which something was left out",
      [{ name: "x" }],
      "none",
      /\(not all of it could be used: "x" is left out/,
    ],
    [
      "cannot be used",
      [anEntry({ name: "a", extract_sha256: "x" })],
      "A",
      /https:\/\/host\/l is wrong: "a" is left out: its extract_sha256 is no hexadecimal SHA-256: x/,
    ],
    [
      "is two",
      [aGroup("X", anEntry({ name: "a" })), aGroup("Y", anEntry({ name: "a", url: "https://host/other" }))],
      "a",
      /several images "a" in .*: give one of "X \/ a", "Y \/ a"$/,
    ],
    [
      "is two in one place",
      [anEntry({ name: "a" }), anEntry({ name: "a", url: "https://host/other" })],
      "a",
      /all in one place, so none can be named: give the address/,
    ],
  ] as const)
    it(`is refused when it ${title}`, async () => {
      const all = await catalogue(...entries);
      assert.throws(() => chooseEntry(all, name, from), message);
    });
});
