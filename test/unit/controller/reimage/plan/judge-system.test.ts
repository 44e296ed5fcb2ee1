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
  const full4 = { ...image, system: full, partitions: [ext4Root] };
  assert.equal(judgeSystem(full4, agent, { grow: true }), undefined);
  assert.equal(judgeSystem(full4, agent, { grow: false })?.reason, "too-small");
  assert.equal(judgeSystem(full4, agent, undefined)?.reason, "too-small");
  const rows = [
    { partitions: [ext4Root, behind] },
    { everything: true },
    { partitions: [{ ...ext4Root, countsWhole: "x" }] },
  ];
  for (const row of rows) assert.equal(judgeSystem({ ...full4, ...row }, agent, { grow: true })?.reason, "too-small");
});

test("an image that was never examined is left to the agent", () => {
  const { system: _, ...older } = image;
  assert.equal(judgeSystem(older, agent, { grow: true }), undefined);
});

test("a 32-bit system is refused wherever its root lies", () => {
  const system = { ...full, elf: { bits: 32, machine: 40 } } as const;
  assert.match(
    judgeSystem({ ...image, system, partitions: [ext4Root] }, agent, { grow: true })?.message ?? "",
    /32-bit.*--no-resident/,
  );
});

test("a root that dm-verity's hashes are of is refused, also by who never examined the system", () => {
  const { system: _, ...older } = image;
  const hashed = { ...older, partitions: [{ ...ext4Root, hashed: true }] };
  assert.match(
    judgeSystem(hashed, undefined, { grow: true })?.message ?? "",
    /^dm-verity would not start .* --no-resident/,
  );
});
