import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBootWatch, type PlannedBoot } from "../../../../controller/nodes/boot-watch.ts";
import { aNode, mac } from "../boot/a-node.ts";

const boot: PlannedBoot = { label: "local", kernel: "images/a/kernel8.img", initrd: "images/a/initramfs8" };

/** How many boots count as loaded after each file; "config" is the node's boot config. */
function loadedAfter(planned: PlannedBoot, ...files: readonly string[]): readonly number[] {
  let count = 0;
  const watch = createBootWatch({
    append: () => undefined,
    clock: { now: () => 0 },
    whoHas: async () => undefined,
    loaded: () => {
      count++;
    },
    broken: () => assert.fail(),
    log: { error: () => assert.fail() },
  });
  watch.planned(mac, planned);
  return files.map((file) => {
    const served = { address: "10.0.0.7", path: file, outcome: "served", bytes: 1 } as const;
    watch.fetched(file === "config" ? { ...served, mac } : served, aNode());
    return count;
  });
}

describe("a boot counts as loaded", () => {
  it("by U-Boot when it has config, initrd and kernel", () =>
    assert.deepEqual(loadedAfter(boot, "config", "images/a/initramfs8", "images/a/kernel8.img"), [0, 0, 1]));

  for (const [title, files, counts] of [
    ["Pi 3 and 4", ["config", "images/a/kernel8.img"], [0, 1]],
    [
      "Pi 5, which fetches the kernel before and after",
      ["images/a/kernel8.img", "config", "images/a/kernel8.img"],
      [0, 1, 1],
    ],
  ] as const)
    it(`by firmware when it has kernel and command line, once: ${title}`, () =>
      assert.deepEqual(loadedAfter({ ...boot, byFirmware: true }, ...files), counts));
});
