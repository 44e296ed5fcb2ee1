// Images of disks that are files, with the real filesystem tools.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { execa } from "execa";
import { type CaptureRequest, captureDisk } from "../../../../../controller/images/capture/capture-disk.ts";
import { createImageStore, type ImageStore } from "../../../../../controller/images/image-store.ts";
import { Refusal } from "../../../../../controller/refusal/refusal.ts";
import { requires } from "../../../../requirements.ts";
import { bootTree, makeSmallImage, rootTree, type SmallPartition, type Tree } from "../small-image.ts";
import { type ADiskReader, aDiskReader } from "./a-disk-reader.ts";

const MiB = 1024 * 1024;
const key = randomBytes(300).toString("base64");
const swapped = randomBytes(300).toString("base64");

const ofNode: Tree = {
  ...rootTree,
  "etc/pallet/identity/agent.pem": key,
  "etc/hostname": "pi-7\n",
  "etc/ssh/ssh_host_rsa_key": randomBytes(300).toString("base64"),
};

describe("captureDisk", requires("root"), () => {
  let folder: string;
  let directory: string;
  let images: ImageStore;
  let counted = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-capture-disk-"));
    directory = join(folder, "images");
    images = await createImageStore({ directory, log: { warn: () => undefined } });
  });
  after(() => rm(folder, { recursive: true }));

  async function aDisk(partitions: readonly SmallPartition[], table: "dos" | "gpt" = "dos"): Promise<string> {
    const path = join(folder, `disk-${++counted}`);
    await makeSmallImage(path, partitions, table);
    return path;
  }

  const capture = async (
    disk: ADiskReader,
    given: Partial<CaptureRequest> = {},
    store: { images: Pick<ImageStore, "addRaw">; directory: string } = { images, directory },
  ) => {
    const result = await captureDisk(
      {
        ...{ name: `captured-${++counted}`, disk, generalise: false, mayHoldKey: true },
        ...{ origin: { node: "pi-7", device: "/dev/mmcblk0" }, signal: new AbortController().signal },
        onProgress: () => undefined,
        ...given,
      },
      store,
    );
    assert.ok(disk.isClosed());
    const raw = join(folder, `${result.image.name}.raw`);
    await execa("zstd", ["-q", "-d", "-o", raw, join(directory, result.image.name, "image.zst")]);
    return { ...result, raw };
  };

  const refused = async (disk: ADiskReader, says: RegExp, given: Partial<CaptureRequest> = {}): Promise<void> => {
    const had = await readdir(directory);
    await assert.rejects(capture(disk, given), (error: Error) => {
      assert.match(error.message, says);
      return true;
    });
    assert.ok(disk.isClosed());
    assert.deepEqual(await readdir(directory), had);
  };

  /** Makes the ext4 of a small image anew, of another kind. */
  async function remade(path: string, test: TestContext, ...options: readonly string[]): Promise<void> {
    const tree = `${path}.again`;
    for (const [name, content] of Object.entries(ofNode)) {
      await mkdir(join(tree, name, ".."), { recursive: true });
      if (typeof content === "string" || Buffer.isBuffer(content)) await writeFile(join(tree, name), content);
      else await execa("ln", ["-s", content.link, join(tree, name)]);
    }
    test.after(() => rm(tree, { recursive: true }));
    await execa("dd", ["if=/dev/urandom", `of=${path}`, "bs=1M", "seek=5", "count=8", "conv=notrunc", "status=none"]);
    await execa("mke2fs", ["-q", "-F", ...options, "-d", tree, "-E", `offset=${5 * MiB},root_owner=0:0`, path, "8m"]);
  }

  const card = (tree: Tree = ofNode): readonly SmallPartition[] => [
    { filesystem: "vfat", tree: bootTree },
    { filesystem: "ext4", tree },
  ];

  for (const [kind, options] of [
    ["ext2", ["-t", "ext2"]],
    ["ext3, whose journal has no extents", ["-t", "ext3", "-J", "size=1"]],
    ["ext4 with blocks of 1 KiB", ["-t", "ext4", "-b", "1024", "-J", "size=1"]],
    [
      "ext4 with blocks of 4 KiB and wide descriptors",
      ["-t", "ext4", "-b", "4096", "-O", "64bit", "-O", "^has_journal"],
    ],
    ["ext4 without checksums", ["-t", "ext4", "-O", "^metadata_csum,^64bit", "-J", "size=1", "-b", "1024"]],
  ] as const)
    it(`reads no more than is in use of ${kind}, takes out the key and leaves the rest`, async (test) => {
      const path = await aDisk(card());
      await remade(path, test, ...options);
      const disk = await aDiskReader(test, path);
      const { image, sums, raw } = await capture(disk);
      assert.deepEqual(image.capture?.removed, ["/etc/pallet (Pallet's key, stamp and settings)"]);
      // Free blocks hold random bytes here, and the FAT is nearly empty.
      assert.ok(sums.skippedBytes > 4 * MiB, `${sums.skippedBytes} bytes are left out`);
      assert.equal(sums.readBytes, disk.readBytes());
      assert.ok(!(await readFile(raw)).includes(key));
      assert.equal(image.partitions[1]?.countsWhole, undefined);
      const file = `${raw}?offset=${5 * MiB}`;
      await execa("e2fsck", ["-f", "-n", file]);
      const { stdout } = await execa("debugfs", ["-R", "cat /etc/hostname", file]);
      assert.equal(stdout, "pi-7");
    });

  it("takes a GPT, and generalises with nothing of a swap area but its header", async (test) => {
    const path = await aDisk([...card(), { filesystem: "nothing" }], "gpt");
    const swap = `${path}.swap`;
    await writeFile(swap, Buffer.alloc(4 * MiB));
    await execa("mkswap", ["--label", "swap", swap]);
    await execa("dd", [`of=${swap}`, "bs=1M", "seek=1", "conv=notrunc", "status=none"], { input: swapped });
    await execa("dd", [`if=${swap}`, `of=${path}`, "bs=1M", "seek=13", "conv=notrunc", "status=none"]);
    assert.ok((await readFile(path)).includes(swapped));
    const { image, raw, sums } = await capture(await aDiskReader(test, path), { generalise: true });
    assert.equal(image.partitionTable, "gpt");
    assert.equal(image.partitions[2]?.filesystemType, "swap");
    assert.deepEqual(image.capture?.removed, [
      "partition 3: what was swapped out",
      "/etc/pallet (Pallet's key, stamp and settings)",
      "/etc/ssh/ssh_host_rsa_key",
      "/etc/hostname",
    ]);
    assert.match(sums.notes.join(), /SSH host keys are gone/);
    const content = await readFile(raw);
    assert.ok(!content.includes(swapped) && !content.includes(key));
  });

  it("gives renamed firmware its names back, but for what came back by itself", async (test) => {
    const tree = { ...bootTree, "start4.off": "old", "recovery.off": "old", "recovery.elf": "new" };
    const path = await aDisk([
      { filesystem: "vfat", tree },
      { filesystem: "ext4", tree: rootTree },
    ]);
    const { image, raw } = await capture(await aDiskReader(test, path));
    assert.deepEqual(image.capture?.removed, ["partition 1: start4.off (is start4.elf again)"]);
    const { stdout } = await execa("mdir", ["-i", `${raw}@@${MiB}`, "-b", "::/"]);
    for (const name of ["start4.elf", "recovery.off", "recovery.elf"]) assert.match(stdout, new RegExp(`::/${name}`));
    assert.doesNotMatch(stdout, /start4\.off/);
  });

  it("reads all of a filesystem that may be hashed from elsewhere, bit for bit", async (test) => {
    const path = await aDisk([...card(rootTree), { filesystem: "nothing" }]);
    await execa("dd", ["if=/dev/urandom", `of=${path}`, "bs=1M", "seek=13", "count=1", "conv=notrunc", "status=none"]);
    const { image, raw } = await capture(await aDiskReader(test, path));
    assert.match(image.partitions[1]?.countsWhole ?? "", /something unknown/);
    assert.ok((await readFile(path)).subarray(0, 17 * MiB).equals(await readFile(raw)));
  });

  it("reads all of a filesystem that was not unmounted, and repairs its copy before it takes the key out", async (test) => {
    const path = await aDisk(card());
    await execa("debugfs", ["-w", "-R", "feature needs_recovery", `${path}?offset=${5 * MiB}`]);
    const { image, raw } = await capture(await aDiskReader(test, path));
    assert.deepEqual(image.capture?.removed, ["/etc/pallet (Pallet's key, stamp and settings)"]);
    assert.ok(!(await readFile(raw)).includes(key));
    await execa("e2fsck", ["-f", "-n", `${raw}?offset=${5 * MiB}`]);
  });

  describe("refuses", () => {
    it("a key that another name would keep", async (test) => {
      const path = await aDisk(card());
      const link = "link /etc/pallet/identity/agent.pem /etc/spare.pem";
      const count = "set_inode_field /etc/spare.pem links_count 2";
      await execa("debugfs", ["-w", "-f", "-", `${path}?offset=${5 * MiB}`], { input: `${link}\n${count}\n` });
      await refused(await aDiskReader(test, path), /agent\.pem on the card has 2 names/);
    });
    it("what Pallet did not put into its folder", async (test) => {
      const path = await aDisk(card({ ...ofNode, "etc/pallet/a file": "?" }));
      await refused(
        await aDiskReader(test, path),
        /\/etc\/pallet on the card holds something that Pallet does not put there/,
      );
    });
    it("a label that would protect every card", async (test) => {
      const path = await aDisk([
        { filesystem: "vfat", tree: bootTree },
        { filesystem: "ext4", label: "PALLET-KEEP", tree: rootTree },
      ]);
      await refused(await aDiskReader(test, path), /would be protected/);
    });
    it("a root that it cannot change, where Pallet's key may be, and takes it where none can be", async (test) => {
      const path = await aDisk([{ filesystem: "vfat", tree: bootTree }, { filesystem: "squashfs" }]);
      const disk = await aDiskReader(test, path);
      await refused(disk, /agent's key must not get into an image.*2: squashfs/s);
      assert.ok(disk.readBytes() < 8 * MiB);
      const { image } = await capture(await aDiskReader(test, path), { mayHoldKey: false });
      assert.equal(image.rootPartition, 2);
    });
    it("a table that is damaged, and one whose partitions the disk does not hold", async (test) => {
      const gpt = await aDisk(card(), "gpt");
      await execa("dd", ["if=/dev/urandom", `of=${gpt}`, "bs=1", "seek=600", "count=8", "conv=notrunc", "status=none"]);
      await refused(await aDiskReader(test, gpt), /its partition table is damaged/);
      const cut = await aDisk(card());
      await truncate(cut, 8 * MiB);
      await refused(await aDiskReader(test, cut), /its partition table is damaged: partition 2 extends past/);
    });
    it("what breaks in the middle", async (test) => {
      const path = await aDisk(card());
      const disk = await aDiskReader(test, path, { breaksAfter: 5 * MiB, breaksBy: new Error("the node is gone") });
      await refused(disk, /the node is gone/);
    });
    it("what was cancelled", async (test) => {
      const abort = new AbortController();
      const onProgress = ({ receivedBytes }: { readonly receivedBytes: number }): void => {
        if (receivedBytes > 5 * MiB) abort.abort();
      };
      const disk = await aDiskReader(test, await aDisk(card()));
      await refused(disk, /was cancelled/, { signal: abort.signal, onProgress });
    });
    it("what has no room in the store, before it is read", async (test) => {
      const full = join(folder, "full");
      await mkdir(full);
      await execa("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", full]);
      test.after(() => execa("umount", [full]));
      const store = await createImageStore({ directory: full, log: { warn: () => undefined } });
      const disk = await aDiskReader(test, await aDisk(card({ ...rootTree, bulk: randomBytes(6 * MiB) })));
      await assert.rejects(
        capture(disk, {}, { images: store, directory: full }),
        (error) =>
          error instanceof Refusal &&
          error.kind === "exhausted" &&
          /no room for the copy in .*full/.test(error.message),
      );
      assert.deepEqual(await readdir(full), []);
    });
  });
});
