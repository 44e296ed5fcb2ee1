import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeSystem } from "../../../../../controller/reimage/plan/judge-system.ts";
import type { ResidentProgram } from "../../../../../proto/system/judge-resident.ts";
import { image } from "../fakes/fake-rack.ts";

const agent: ResidentProgram = {
  sizeBytes: 100 * 2 ** 20,
  program: { kind: "elf", elf: { bits: 64, machine: 183 }, interpreter: "/lib/ld-linux-aarch64.so.1" },
};
const full = {
  init: "/usr/lib/systemd/systemd",
  hasInittab: false,
  elf: { bits: 64, machine: 183 },
  loaders: { "/lib/ld-linux-aarch64.so.1": true },
  freeBytes: 0,
} as const;
const root = image.partitions.find(({ number }) => number === image.rootPartition);
assert.ok(root);
const ext4Root = { ...root, filesystemType: "ext4" };
const behind = { ...ext4Root, number: 9, offsetBytes: root.offsetBytes + root.lengthBytes };

test("a full root filesystem is refused where it cannot grow, and left to the agent where it can", () => {
  assert.equal(judgeSystem({ ...image, system: full, partitions: [ext4Root] }, agent), undefined);
  const failure = judgeSystem({ ...image, system: full, partitions: [ext4Root, behind] }, agent);
  assert.equal(failure?.reason, "too-small");
});

test("an image that was never examined is left to the agent", () => {
  const { system: _, ...older } = image;
  assert.equal(judgeSystem(older, agent), undefined);
});

test("a 32-bit system is refused wherever its root lies", () => {
  const system = { ...full, elf: { bits: 32, machine: 40 } } as const;
  assert.match(
    judgeSystem({ ...image, system, partitions: [ext4Root] }, agent)?.message ?? "",
    /32-bit.*--no-resident/,
  );
});
