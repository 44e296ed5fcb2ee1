// The demo's Debian image: built from Debian's packages, sound, and understood by the image store as what it is.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { createImageStore } from "../../controller/images/image-store.ts";
import { buildDemoImage, type DemoImage } from "../../scripts/demo-image/build-demo-image.ts";
import { requires } from "../requirements.ts";

const cacheDirectory = checkoutCache("demo-image");
const rootOffset = 48 * 1024 * 1024;

describe("the demo image", requires("root"), () => {
  let folder: string;
  let image: DemoImage;
  let architectures: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-demo-image-"));
    architectures = (await execa("dpkg", ["--print-foreign-architectures"])).stdout;
    image = await buildDemoImage({ cacheDirectory, name: "debian-demo" });
  });
  after(() => rm(folder, { recursive: true }));

  const inRoot = async (path: string) =>
    (await execa("debugfs", ["-R", `cat ${path}`, `${image.imagePath}?offset=${rootOffset}`])).stdout;

  it("is small, and the digest is that of the file", async () => {
    const { size } = await stat(image.imagePath);
    assert.equal(size, image.sizeBytes);
    assert.ok(size <= 280 * 1024 * 1024);
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(image.imagePath)) hash.update(chunk);
    assert.equal(hash.digest("hex"), image.digest);
  });

  it("leaves the architectures of this machine's dpkg alone", async () => {
    assert.equal((await execa("dpkg", ["--print-foreign-architectures"])).stdout, architectures);
  });

  it("holds sound filesystems", async () => {
    await execa("e2fsck", ["-f", "-n", `${image.imagePath}?offset=${rootOffset}`]);
    const fat = join(folder, "boot.fat");
    await execa("dd", [`if=${image.imagePath}`, `of=${fat}`, "bs=1M", "skip=4", "count=44", "status=none"]);
    await execa("fsck.vfat", ["-n", fat]);
  });

  it("names itself in os-release and in its marker file, and takes nothing over from this machine", async () => {
    assert.match(await inRoot("/usr/lib/os-release"), /^PRETTY_NAME="Pallet demo image debian-demo 1 /m);
    assert.equal(await inRoot("/etc/pallet-demo-image"), "debian-demo 1");
    assert.equal(await inRoot("/etc/resolv.conf"), "");
    assert.match(await inRoot("/etc/fstab"), new RegExp(`^PARTUUID=${image.rootPartitionUuid} / ext4`, "m"));
  });

  it("has an arm64 kernel and an initial RAM disk beside it", async () => {
    // Documentation/arm64/booting.rst: the magic number is at 56.
    assert.equal((await readFile(image.kernelPath)).toString("latin1", 56, 60), "ARMd");
    assert.deepEqual([...(await readFile(image.initrdPath)).subarray(0, 2)], [0x1f, 0x8b]);
  });

  it("comes from the cache the second time", async () => {
    const { ino } = await stat(image.imagePath);
    assert.deepEqual(await buildDemoImage({ cacheDirectory, name: "debian-demo" }), image);
    assert.equal((await stat(image.imagePath)).ino, ino);
  });

  it("differs from its next version in content and in identity", async () => {
    const next = await buildDemoImage({ cacheDirectory, name: "debian-demo", version: "2" });
    assert.notEqual(next.digest, image.digest);
    assert.notEqual(next.rootPartitionUuid, image.rootPartitionUuid);
    assert.match(next.prettyName, /debian-demo 2/);
  });

  it("is understood by the image store as what it is", async () => {
    const log = { warn: (_: object, message: string) => assert.fail(message) };
    const store = await createImageStore({ directory: join(folder, "store"), log });
    const stored = await store.add({
      name: "debian-demo",
      source: createReadStream(image.imagePath, { highWaterMark: 1 << 20 }),
      fileBytes: image.sizeBytes,
      signal: new AbortController().signal,
    });
    assert.equal(stored.digest, image.digest);
    assert.equal(stored.operatingSystem, image.prettyName);
    assert.deepEqual(
      stored.partitions.map(({ number, filesystemType, label }) => [number, filesystemType, label]),
      [
        [1, "vfat", "bootfs"],
        [2, "ext4", "rootfs"],
      ],
    );
    assert.equal(stored.rootPartition, 2);
    assert.equal(stored.partitions[1]?.partitionUuid, image.rootPartitionUuid);
    assert.equal(stored.boot.commandLine, "console=tty1 console=ttyAMA0,115200 rootfstype=ext4 rootwait");
    assert.match(stored.boot.kernel, /^vmlinuz-.*-arm64$/);
    assert.match(stored.boot.initrd ?? "", /^initrd\.img-.*-arm64$/);
    assert.ok(stored.boot.deviceTrees.includes("bcm2711-rpi-4-b.dtb"));
    const kernel = await readFile(store.bootFile(stored.digest, stored.boot.kernel) ?? "");
    assert.ok(kernel.equals(await readFile(image.kernelPath)));
  });
});
