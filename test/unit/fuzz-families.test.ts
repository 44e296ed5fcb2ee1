// Which parsers hostile input is thrown at: all that stand in the tree, but for those that are named here.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { readSources, repository } from "./read-sources.ts";

/** Reached through another function that a family calls. */
const through: Readonly<Record<string, readonly string[]>> = {
  parseConfigFile: ["parseYaml"],
  parseSpec: ["decodeSpec", "specFromWire"],
  operationFromWire: ["progressFromWire", "stageFromWire"],
  registrationFromWire: ["factsFromWire", "agentInfoFromWire", "installedFromWire", "parseRootIds", "tasksFromWire"],
  logReportFromWire: ["logLevelFromWire"],
  failureFromWire: ["countFromWire"],
  parsePartitionTable: ["parseGpt", "parseMbr"],
  unzip: ["parseZipFile", "parseZipEntry"],
  readFat: ["parseFatGeometry", "decodeTable"],
  parseProgram: ["parseElfHeader"],
  parseBootPath: ["parseBootPathOfRoot"],
  parseIpv4Network: ["parseIpv4"],
  decodeReply: ["decodeInteger"],
  parseStamp: ["parseImageDigest"],
};

/** What nobody but root, the kernel or a program of ours on the same machine writes. */
const ofThisMachine: readonly string[] = [
  ...["parseEnvironment", "parseFlags", "parseUserName", "parseGroupId", "parseInterfaces", "parseLoopStatus"],
  // Of a kernel that root built or imported, and of sfdisk's own dump, whose lines are short.
  ...["parseModuleIndex", "parseDiskId"],
  ...["parseUserOfGroup"],
  // What the broker, which is root, says to the controller.
  ...["parseFailureMessage"],
  // Of ip, systemctl and nft, and our own notes.
  ...["parseLinks", "parseRoutes", "parseUnits", "parseServiceRights", "parseRuleset", "parseJournal", "parseTime"],
];

const sources = (await Promise.all(["agent", "controller", "proto"].map(readSources))).flat();
const parsers = sources.flatMap(({ file }) => {
  if (file.startsWith("proto/gen/")) return [];
  const text = readFileSync(path.join(repository, file), "utf8");
  return [...text.matchAll(/^export (?:async )?function\*? ((?:parse|decode|detect)[A-Z]\w*|\w+FromWire)\b/gm)].map(
    ([, name = ""]) => name,
  );
});
const folder = path.join(repository, "test/fuzz/families");
const families = readdirSync(folder)
  .map((name) => readFileSync(path.join(folder, name), "utf8"))
  .join("\n");
const isCalled = (name: string): boolean => new RegExp(`\\b${name}\\(`).test(families);

describe("hostile input", () => {
  it("is thrown at every parser, or it says here why not", () => {
    assert.ok(parsers.length > 100, `only ${parsers.length} parsers were found: the expression is stale`);
    const reached = new Set(Object.entries(through).flatMap(([by, names]) => (isCalled(by) ? names : [])));
    const open = parsers.filter((name) => !isCalled(name) && !reached.has(name) && !ofThisMachine.includes(name));
    assert.deepEqual(open, [], "give each a family in test/fuzz/families, or say in this file how it is reached");
  });

  it("has no exception for what is gone, or has a family", () => {
    const exceptions = [...Object.values(through).flat(), ...ofThisMachine];
    assert.deepEqual(
      exceptions.filter((name) => !parsers.includes(name) || isCalled(name)),
      [],
    );
  });
});
