// Agent and controller look into filesystems with the same programs: what one finds, the other finds.
import assert from "node:assert/strict";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { listFatRoot } from "../../../../agent/customise/fat-folder.ts";
import { findReturned, planRenamings } from "../../../../agent/customise/firmware-files.ts";
import { runTool } from "../../../../agent/linux/run-tool.ts";
import { fatFiles } from "../../../../controller/images/filesystems/fat-files.ts";
import { probeFilesystem } from "../../../../controller/images/filesystems/probe-filesystem.ts";
import { boardFirmwareOf } from "../../../../controller/nodes/board-firmware.ts";
import { mtoolsEnvironment, parseMdir, renderDrive } from "../../../../proto/disk/mtools.ts";
import {
  blkidAmbivalent,
  blkidNothingFound,
  parseBlkid,
  renderBlkidArguments,
} from "../../../../proto/disk/parse-blkid.ts";

const mebibyte = 1 << 20;
const part = { offsetBytes: mebibyte, lengthBytes: 8 * mebibyte };

describe("a filesystem in an image", () => {
  let folder: string;
  let file: string;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "filesystems-"));
    file = path.join(folder, "disk.img");
  });
  after(() => rm(folder, { recursive: true }));

  /** An image with one filesystem at the place of its partition. */
  async function make(mkfs: string, ...args: string[]): Promise<void> {
    const filesystem = path.join(folder, "filesystem");
    for (const blank of [file, filesystem]) {
      const handle = await open(blank, "w");
      await handle.truncate(blank === file ? 10 * mebibyte : part.lengthBytes);
      await handle.close();
    }
    if (mkfs === "") return;
    await execa(mkfs, [...args, filesystem]);
    await execa("dd", [`if=${filesystem}`, `of=${file}`, "bs=1M", "seek=1", "conv=notrunc"]);
  }

  const byController = () => probeFilesystem(file, part);

  /** As the agent's inventory asks of a device. */
  async function byAgent() {
    const { exitCode, stdout } = await runTool({
      tool: "blkid",
      args: renderBlkidArguments(file, part),
      task: `probe ${file}`,
      acceptedExitCodes: [0, blkidNothingFound, blkidAmbivalent],
    });
    const { filesystemType, label, uuid } = parseBlkid(exitCode === 0 ? stdout : "");
    return { filesystemType, label, uuid };
  }

  for (const [title, mkfs, args, type, label] of [
    ["ext4 with a label that is not ASCII", "mkfs.ext4", ["-q", "-L", "Größe 1"], "ext4", "Größe 1"],
    ["FAT with a label", "mkfs.vfat", ["-n", "BOOT FS"], "vfat", "BOOT FS"],
    ["FAT without a label", "mkfs.vfat", [], "vfat", ""],
    ["nothing", "", [], "", ""],
  ] as const) {
    it(`is known to both alike: ${title}`, async () => {
      await make(mkfs, ...args);
      const found = await byController();
      assert.deepEqual([found.filesystemType, found.label], [type, label]);
      assert.deepEqual(await byAgent(), found);
    });
  }

  it("has the same files for both, also when it has none", async () => {
    await make("mkfs.vfat", "-n", "BOOT");
    const listings = async () => [
      await listFatRoot({ device: file, offsetBytes: part.offsetBytes }),
      await fatFiles({ imagePath: file, offsetBytes: part.offsetBytes }).list(),
    ];
    assert.deepEqual(await listings(), [[], []]);
    const names = ["bootcode.bin", "BOOTCODE.OFF", "Start4.elf", "a.long-name.of-a-file"];
    for (const name of names) await writeFile(path.join(folder, name), name);
    const drive = renderDrive(file, part.offsetBytes);
    await execa("mcopy", ["-i", drive, ...names.map((name) => path.join(folder, name)), "::"], {
      env: mtoolsEnvironment,
    });
    assert.deepEqual(await listings(), [names, names]);
  });
});

describe("parseMdir", () => {
  it("tells an empty filesystem from one that cannot be read, however mdir was asked", () => {
    assert.deepEqual(parseMdir(0, "::/a\n::/b/\n::/b/c\n", ""), ["a", "b/", "b/c"]);
    for (const words of ['File "::/" not found', 'File "::" not found']) assert.deepEqual(parseMdir(1, "", words), []);
    assert.equal(parseMdir(1, "", "init :: non DOS media"), undefined);
  });
});

describe("the files that a board boots from", () => {
  for (const model of ["", "2 Model B", "3 Model B", "3 Model B Plus", "4 Model B", "5 Model B"]) {
    it(`are noticed by the resident agent when an upgrade puts them back: ${model || "any board"}`, () => {
      const { files } = boardFirmwareOf(model === "" ? "" : `Raspberry Pi ${model} Rev 1.0`);
      const renamed = planRenamings(files, files).map(({ to }) => to);
      assert.equal(new Set(renamed).size, files.length, "each keeps a name of its own");
      assert.deepEqual(findReturned(renamed), []);
      assert.deepEqual(findReturned([...renamed, ...files]), files);
    });
  }
});
