import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeRootChange, installationAfter } from "../../../../controller/nodes/choose-installation.ts";
import type { Installation } from "../../../../controller/nodes/node.ts";
import type { Registration } from "../../../../controller/nodes/registration.ts";
import type { RootIds } from "../../../../proto/node/root-ids.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";

const imageDigest = "ab".repeat(32) as ImageDigest;
const uuid = "2a81f25a-2ca2-4520-a1a6-c9dd75527c3c";
const old: RootIds = { partitionUuid: "deadbeef-02", filesystemUuid: uuid };
const now: RootIds = { ...old, partitionUuid: "0badcafe-02" };
const written: Installation = { imageDigest, reimageId: "r2", resident: true };

function report(
  ids: RootIds | undefined,
  { role = "resident", reimageId = "r2", digest = imageDigest, stamped = true } = {},
): Pick<Registration, "facts" | "agent"> {
  const installed = { imageName: "debian", imageDigest: digest, reimageId, installedAt: "2026-01-01T00:00:00.000Z" };
  return {
    facts: { root: { source: "", filesystemType: "", disk: "", ...(ids && { ids }) } },
    agent: { role, ...(stamped && { installed }) },
  } as unknown as Registration;
}

type Case = readonly [string, Installation | undefined, ReturnType<typeof report>, Installation | undefined];
const cases: readonly Case[] = [
  ["the installed system says where its root is", written, report(now), { ...written, root: now }],
  ["it says so again after its first boot", { ...written, root: old }, report(now), { ...written, root: now }],
  ["an older agent says nothing of it", { ...written, root: old }, report(undefined), { ...written, root: old }],
  ["a record of an older Pallet begins one", undefined, report(now), { ...written, root: now }],
  ["a record of an older Pallet and an older agent", undefined, report(undefined), written],
  [
    "the image's own resident agent in an untouched image",
    { ...written, resident: false },
    report(now),
    { ...written, root: now },
  ],
  ["the system of an earlier reimage has no say", written, report(now, { reimageId: "r1" }), written],
  ["a system of another image has no say", written, report(now, { digest: "cd".repeat(32) as ImageDigest }), written],
  [
    "the netbooted agent has none here",
    { ...written, root: old },
    report(now, { role: "netboot" }),
    { ...written, root: old },
  ],
  ["a system without a stamp has none", written, report(now, { stamped: false }), written],
  [
    "that another disk has the same UUID stays known",
    { ...written, root: { ...old, filesystemUuidShared: true, partitionUuidShared: true } },
    report(now),
    { ...written, root: { ...now, filesystemUuidShared: true } },
  ],
];

describe("what is known of a node's card", () => {
  for (const [title, before, registration, after] of cases)
    it(title, () => assert.deepEqual(installationAfter(before, registration), after));

  it("tells what has changed", () => {
    assert.match(
      describeRootChange("rack-3", old, now) ?? "",
      /^the system on rack-3's card changed its root's PARTUUID \(was deadbeef-02, now 0badcafe-02\); its next boot/,
    );
    assert.equal(describeRootChange("rack-3", undefined, now), undefined);
    assert.equal(describeRootChange("rack-3", old, { ...old, partitionUuidShared: true }), undefined);
  });
});
