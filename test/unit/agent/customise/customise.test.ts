import assert from "node:assert/strict";
import { constants } from "node:fs";
import { access, mkdir, open, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { execa } from "execa";
import { customise } from "../../../../agent/customise/customise.ts";
import { allocatePageAligned } from "../../../../agent/linux/page-aligned.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { assertDetached } from "../../../assert-detached.ts";
import { requires } from "../../../requirements.ts";
import { aLoopDevice, type LoopDevice } from "../disk/a-loop-device.ts";
import { aDiskWithSystem, root, stamp } from "./a-disk-with-system.ts";

/** A disk without a partition table, in which an ext4 with this content starts at 9 MiB. */
async function installed(test: TestContext, fill: (content: string) => Promise<unknown>): Promise<LoopDevice> {
  return await aDiskWithSystem(test, root, fill);
}

/** Reads the file as the disk has it, past the cache: what O_DIRECT sees is copied and looked at by debugfs. */
async function stampOf(disk: LoopDevice, name = "installed.json"): Promise<string> {
  const direct = await open(disk.path, constants.O_RDONLY | constants.O_DIRECT);
  const bytes = allocatePageAligned(root.lengthBytes);
  await direct.read(bytes, 0, root.lengthBytes, root.offsetBytes);
  await direct.close();
  const file = path.join(disk.folder, "root.img");
  await writeFile(file, bytes);
  const { stdout } = await execa("debugfs", ["-R", `cat /etc/pallet/${name}`, file]);
  await execa("e2fsck", ["-fn", file]);
  return stdout;
}

async function assertCleanedUp(disk: LoopDevice): Promise<void> {
  await assertDetached(disk.path);
  assert.ok(!(await readFile("/proc/self/mountinfo", "utf8")).includes(`customise-${disk.name}-`));
  await (await open(disk.path, constants.O_RDWR | constants.O_EXCL)).close();
  const folders: string[] = await readdir("/run/pallet").catch(() => []);
  assert.deepEqual(
    folders.filter((name) => name.startsWith(`customise-${disk.name}-`)),
    [],
  );
}

describe("customise", requires("root", "loop devices"), () => {
  it("places the stamp into the root filesystem at an offset, where O_DIRECT sees it", async (test) => {
    const disk = await installed(test, async () => {});
    const held = await open(disk.path, constants.O_RDWR | constants.O_EXCL | constants.O_DIRECT);
    await customise({ device: disk.path, root, stamp, resident: false });
    await held.close();
    assert.deepEqual(JSON.parse(await stampOf(disk)), stamp);
    await assertCleanedUp(disk);
  });

  it("replaces the stamp that the image brought along", async (test) => {
    const disk = await installed(test, async (content) => {
      await mkdir(path.join(content, "etc/pallet"));
      await writeFile(path.join(content, "etc/pallet/installed.json"), "old");
    });
    await customise({ device: disk.path, root, stamp, resident: false });
    assert.deepEqual(JSON.parse(await stampOf(disk)), stamp);
  });

  it("places what the resident agent goes by without kernel words, in place of what the image brought along", async (test) => {
    const disk = await installed(test, async (content) => {
      await mkdir(path.join(content, "etc/pallet"));
      await writeFile(path.join(content, "etc/pallet/agent.json"), "of the node that this image was taken from");
    });
    const controllers = [
      { host: "10.77.0.1", port: 7700 },
      { host: "fd00::1", port: 7701 },
    ];
    const settings = { node: "b8:27:eb:00:00:01" as NodeId, controllers };
    await customise({ device: disk.path, root, stamp, settings, resident: false });
    assert.equal(
      await stampOf(disk, "agent.json"),
      '{\n  "node": "b8:27:eb:00:00:01",\n  "controllers": [\n    "10.77.0.1:7700",\n    "[fd00::1]:7701"\n  ]\n}',
    );
    assert.deepEqual(JSON.parse(await stampOf(disk)), stamp);
    await assertCleanedUp(disk);
  });

  it("does not follow a symbolic link out of the image", async (test) => {
    const disk = await installed(test, (content) => symlink("/tmp", path.join(content, "etc/pallet")));
    await assert.rejects(customise({ device: disk.path, root, stamp, resident: false }), { reason: "invalid" });
    await assert.rejects(access("/tmp/installed.json"));
    await assertCleanedUp(disk);
  });

  it("says what it could not mount and where, and cleans up", async (test) => {
    const disk = await aLoopDevice(test, 32);
    await assert.rejects(customise({ device: disk.path, root, stamp, resident: false }), {
      reason: "tool-failed",
      message: new RegExp(
        `cannot mount the ext4 root filesystem at byte ${root.offsetBytes} of ${disk.path}: mount: .*wrong fs type`,
      ),
    });
    await assertCleanedUp(disk);
  });

  it("does nothing when it is cancelled already", async (test) => {
    const disk = await installed(test, async () => {});
    await assert.rejects(customise({ device: disk.path, root, stamp, resident: false, signal: AbortSignal.abort() }), {
      reason: "cancelled",
    });
    await assertCleanedUp(disk);
  });

  for (const [title, wrong] of [
    ["a filesystem type that would be more than one option", { filesystemType: "ext4,suid" }],
    ["an offset that is no number", { offsetBytes: Number.NaN }],
    ["a negative offset", { offsetBytes: -1 }],
    ["an empty partition", { lengthBytes: 0 }],
  ] as const) {
    it(`refuses ${title}`, async () => {
      await assert.rejects(customise({ device: "/dev/null", root: { ...root, ...wrong }, stamp, resident: false }), {
        reason: "invalid",
      });
    });
  }
});
