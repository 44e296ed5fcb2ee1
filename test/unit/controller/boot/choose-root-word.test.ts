import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseRootWord } from "../../../../controller/boot/choose-root-word.ts";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import type { RootIds } from "../../../../proto/node/root-ids.ts";
import { anImage } from "./a-node.ts";

const uuid = "2a81f25a-2ca2-4520-a1a6-c9dd75527c3c";
const guid = "0fc63daf-8483-4772-8e79-3d69d8477de4";
const onlyPart: RootIds = { partitionUuid: "0badcafe-02", filesystemUuid: "" };
const both: RootIds = { ...onlyPart, filesystemUuid: uuid };

/** An image with these ids of its root, and with an initrd or without. */
function image(ids: RootIds, initrd: boolean, partitionTable: Image["partitionTable"] = "mbr"): Image {
  const plain = anImage({ partitionTable });
  const { initrd: _, ...bare } = plain.boot;
  return {
    ...plain,
    boot: initrd ? plain.boot : bare,
    partitions: plain.partitions.map((partition) =>
      partition.number === 2 ? { ...partition, partitionUuid: ids.partitionUuid, uuid: ids.filesystemUuid } : partition,
    ),
  };
}

const byUuid = `root=UUID=${uuid}`;
const byPart = "root=PARTUUID=0badcafe-02";
const cases: readonly [title: string, image: Image, seen: RootIds | undefined, word: string | undefined][] = [
  ["an initrd, and a filesystem with a UUID", image(both, true), undefined, byUuid],
  ["no initrd", image(both, false), undefined, byPart],
  ["a filesystem without a UUID (squashfs)", image(onlyPart, true), undefined, byPart],
  ["another disk id since, with an initrd", image(both, true), { ...both, partitionUuid: "11111111-02" }, byUuid],
  [
    "another disk id since, without an initrd",
    image(both, false),
    { ...both, partitionUuid: "11111111-02" },
    "root=PARTUUID=11111111-02",
  ],
  [
    "another UUID of the filesystem since (tune2fs -U)",
    image(both, true),
    { ...both, filesystemUuid: guid },
    `root=UUID=${guid}`,
  ],
  ["no UUID of the filesystem any more", image(both, true), { ...both, filesystemUuid: "" }, byPart],
  ["a GPT", image({ partitionUuid: guid, filesystemUuid: "" }, false, "gpt"), undefined, `root=PARTUUID=${guid}`],
  [
    "an MBR with disk id 0, no initrd",
    image({ ...both, partitionUuid: "" }, false),
    undefined,
    "root=PARTUUID=00000000-02",
  ],
  ["an MBR with disk id 0, an initrd", image({ ...both, partitionUuid: "" }, true), undefined, byUuid],
  ["a GPT without a GUID, no initrd", image({ ...both, partitionUuid: "" }, false, "gpt"), undefined, undefined],
  ["nothing, and an initrd", image({ partitionUuid: "", filesystemUuid: "" }, true), undefined, undefined],
  ["a second disk with the same filesystem", image(both, true), { ...both, filesystemUuidShared: true }, byPart],
  [
    "a second disk with the same image: as good or bad as the other",
    image(both, true),
    { ...both, filesystemUuidShared: true, partitionUuidShared: true },
    byUuid,
  ],
  ["upper case", image({ ...both, filesystemUuid: uuid.toUpperCase() }, true), undefined, byUuid],
  [
    "a value that would inject a word",
    image(both, true),
    { partitionUuid: "1 init=/bin/sh", filesystemUuid: `${uuid} init=/bin/sh` },
    undefined,
  ],
];

describe("root= of a local boot", () => {
  for (const [title, of, seen, word] of cases)
    it(`with ${title}: ${word ?? "none"}`, () => assert.equal(chooseRootWord(of, seen), word));
});
