import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AgentBootSettings, chooseAgentBoot } from "../../../../controller/boot/choose-agent-boot.ts";
import type { RootId } from "../../../../controller/roots/root-id.ts";

const file = { sha256: "0", sizeBytes: 1 };
const pair = { "agent/vmlinuz": file, "agent/initrd.img": file };

describe("the agent's kernel and initrd", () => {
  for (const [title, said, files, expected] of [
    ["are the pair that was built", {}, pair, ["agent/vmlinuz", "agent/initrd.img"]],
    [
      "are the built kernel alone where no initrd was built",
      {},
      { "agent/vmlinuz": file },
      ["agent/vmlinuz", undefined],
    ],
    [
      "are no mixture with a kernel that somebody put there",
      {},
      { "agent/initrd.img": file },
      ["agent/vmlinuz", undefined],
    ],
    ["are a kernel that somebody may put there in an empty tree", {}, {}, ["agent/vmlinuz", undefined]],
    ["are the same where nothing was built", {}, undefined, ["agent/vmlinuz", undefined]],
    ["are without an initrd where the operator wants none", { initrd: "none" }, pair, ["agent/vmlinuz", undefined]],
    ["are the operator's pair", { kernel: "k", initrd: "i" }, pair, ["k", "i"]],
    ["are the operator's kernel alone", { kernel: "k", initrd: "none" }, pair, ["k", undefined]],
    ["are never the operator's kernel with a built initrd", { kernel: "k" }, pair, ["k", undefined]],
    [
      "are the built pair where the operator names it, also without a manifest",
      { kernel: "agent/vmlinuz", initrd: "agent/initrd.img" },
      undefined,
      ["agent/vmlinuz", "agent/initrd.img"],
    ],
  ] as const satisfies [
    string,
    Omit<AgentBootSettings, "append">,
    Record<string, typeof file> | undefined,
    unknown,
  ][]) {
    it(title, () => {
      const { kernel, initrd, append } = chooseAgentBoot(
        { ...said, append: ["quiet"] },
        files === undefined ? undefined : { files },
      );
      assert.deepEqual([kernel, initrd], expected);
      assert.deepEqual(append, ["quiet"]);
    });
  }

  const root = { id: "20261128-221500-3fa9c1d2" as RootId, nfsPath: "/store/root", hasBackports: true };
  it("are the pair of the version that the node mounts, whatever the boot tree holds", () => {
    const { kernel, initrd, pi5, root: mounted } = chooseAgentBoot({ append: [] }, { files: pair }, root);
    const folder = "agent/20261128-221500-3fa9c1d2";
    assert.deepEqual([kernel, initrd], [`${folder}/vmlinuz`, `${folder}/initrd.img`]);
    assert.deepEqual(pi5, { kernel: `${folder}/backports/vmlinuz`, initrd: `${folder}/backports/initrd.img` });
    assert.deepEqual(mounted, { id: root.id, nfsPath: root.nfsPath });
    assert.equal(chooseAgentBoot({ append: [] }, undefined, { ...root, hasBackports: false }).pi5, undefined);
  });

  it("are the operator's, with the version's root, where the operator names a kernel", () => {
    const chosen = chooseAgentBoot({ kernel: "k", initrd: "i", append: [] }, { files: pair }, root);
    assert.deepEqual([chosen.kernel, chosen.initrd, chosen.pi5], ["k", "i", undefined]);
    assert.equal(chosen.root?.nfsPath, "/store/root");
  });

  const second = { "agent/backports/vmlinuz": file, "agent/backports/initrd.img": file };
  for (const [title, said, files, expected] of [
    ["are another pair for a Pi 5, where one was built", {}, { ...pair, ...second }, second],
    ["are the same for a Pi 5 where none was built", {}, pair, undefined],
    ["are the operator's on every board", { kernel: "k", initrd: "i" }, { ...pair, ...second }, undefined],
  ] as const)
    it(title, () => {
      const { pi5 } = chooseAgentBoot({ ...said, append: [] }, { files });
      assert.deepEqual(pi5 && [pi5.kernel, pi5.initrd], expected && Object.keys(expected));
    });
});
