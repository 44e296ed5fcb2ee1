import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { factsFromWire, factsToWire } from "../../../../proto/node/node-codec.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import { parseRootIds, type RootIds, sameRootIds } from "../../../../proto/node/root-ids.ts";

const uuid = "2a81f25a-2ca2-4520-a1a6-c9dd75527c3c";
const none: RootIds = { partitionUuid: "", filesystemUuid: "" };

describe("ids of a root", () => {
  const cases: readonly [string, RootIds, RootIds][] = [
    ["an MBR's", { partitionUuid: "4E639091-02", filesystemUuid: "" }, { ...none, partitionUuid: "4e639091-02" }],
    [
      "a GPT's and a filesystem's",
      { partitionUuid: uuid, filesystemUuid: uuid.toUpperCase() },
      { partitionUuid: uuid, filesystemUuid: uuid },
    ],
    ["words of a kernel command line", { partitionUuid: "4e639091-02 init=/x", filesystemUuid: `${uuid}\n` }, none],
    ["a FAT's serial number", { partitionUuid: "4e639091", filesystemUuid: "1234-ABCD" }, none],
    ["endless text", { partitionUuid: "0".repeat(1e6), filesystemUuid: "0".repeat(1e6) }, none],
  ];
  for (const [title, found, kept] of cases)
    it(`are kept as far as they have the form of one: ${title}`, () => assert.deepEqual(parseRootIds(found), kept));

  it("are the same when all that they say is", () => {
    const one: RootIds = { partitionUuid: "4e639091-02", filesystemUuid: uuid };
    assert.ok(sameRootIds(one, { ...one, filesystemUuidShared: false }));
    assert.ok(!sameRootIds(one, { ...one, filesystemUuidShared: true }));
    assert.ok(!sameRootIds(one, { ...one, partitionUuid: "" }));
  });

  it("travel with the facts of a node, and are absent from those of an older agent", () => {
    const root = { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0" };
    const facts = { interfaces: [], memoryBytes: 1, uptimeSeconds: 1, root } as unknown as NodeFacts;
    const ids: RootIds = { partitionUuid: "4e639091-02", filesystemUuid: uuid };
    assert.deepEqual(factsFromWire(factsToWire({ ...facts, root: { ...root, ids } })).root, { ...root, ids });
    assert.deepEqual(factsFromWire(factsToWire(facts)).root, root);
  });
});
