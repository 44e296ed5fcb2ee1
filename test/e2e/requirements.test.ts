// What the builders say that they need is all that they need: each is run where nothing else is; and --install.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, afterEach, before, describe, it } from "node:test";
import { execa } from "execa";
import { cacheEntry } from "../../controller/artefacts/cache-entry.ts";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { defaultMirror, defaultSuite } from "../../controller/artefacts/debian-defaults.ts";
import { buildBootTree } from "../../controller/boot-tree/build-boot-tree.ts";
import { planBootTreeBuild } from "../../controller/boot-tree/plan-requirements.ts";
import { captureDisk } from "../../controller/images/capture/capture-disk.ts";
import { planImagesCapture } from "../../controller/images/capture/plan-requirements.ts";
import { createImageDeriver } from "../../controller/images/derive/image-deriver.ts";
import { layOut } from "../../controller/images/derive/lay-out.ts";
import { planImagesDerive } from "../../controller/images/derive/plan-requirements.ts";
import { createImageStore } from "../../controller/images/image-store.ts";
import { planImagesAdd } from "../../controller/images/import/plan-requirements.ts";
import type { Requirements } from "../../controller/requirements/requirements.ts";
import { buildRootfs } from "../../controller/rootfs/build-rootfs.ts";
import { importRootfs } from "../../controller/rootfs/import-rootfs.ts";
import { planRootfsBuild, planRootfsImport } from "../../controller/rootfs/plan-requirements.ts";
import { debianPackages } from "../../proto/linux/debian-package.ts";
import { buildDemoImage } from "../../scripts/demo-image/build-demo-image.ts";
import { checkout } from "../programs/checkout.ts";
import { linkDebianPrograms } from "../rack/debian-programs.ts";
import { requires } from "../requirements.ts";
import { aDiskReader } from "../unit/controller/images/capture/a-disk-reader.ts";
import { buildSystemImage, noise, noisyKernel, type SystemImage, writeSystem } from "./derive/a-system.ts";

const cacheDirectory = checkoutCache("requirements");
const givenPath = process.env["PATH"];

/** What can change the verdict: everything that a builder is made of. */
async function digestOf(...folders: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const name of ["artefacts", "requirements", ...folders]) {
    const folder = path.join(checkout, "controller", name);
    for (const file of (await readdir(folder, { recursive: true })).toSorted())
      if ((await stat(path.join(folder, file))).isFile())
        hash.update(file).update(await readFile(path.join(folder, file)));
  }
  return hash.digest("hex").slice(0, 32);
}

describe("a builder where only what it asks for is installed", { ...requires("root"), timeout: 900_000 }, () => {
  let folder: string;
  let agentFile: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-only-"));
    agentFile = path.join(folder, "agent");
    await writeFile(agentFile, "#!/bin/sh\necho an agent\n");
  });
  afterEach(() => {
    process.env["PATH"] = givenPath;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /**
   * Its verdict is kept for as long as the builders stay what they are: each takes minutes without a cache of its own.
   */
  const provesComplete = (
    name: string,
    source: string,
    plan: Omit<Requirements, "writes">,
    build: (at: string) => Promise<unknown>,
    /** Makes what it is given, with all that this machine has. */
    prepare: (at: string) => Promise<void> = async () => {},
  ) =>
    it(`${name} succeeds`, async () => {
      await cacheEntry(cacheDirectory, `${name}-${await digestOf(source)}`, async (entry) => {
        const at = await mkdtemp(path.join(folder, "at-"));
        await prepare(at);
        await linkDebianPrograms(path.join(at, "programs"), debianPackages(plan.needs));
        process.env["PATH"] = path.join(at, "programs");
        await build(at);
        await writeFile(path.join(entry, "succeeded"), "");
        await rm(at, { recursive: true });
      });
      process.env["PATH"] = givenPath;
    });

  provesComplete(
    "rootfs-build",
    "rootfs",
    planRootfsBuild({ mirror: defaultMirror, isBaseCached: false, isKernelCached: true, isAgentCompressed: false }),
    async (at) =>
      buildRootfs({
        outDirectory: path.join(at, "out"),
        cacheDirectory: path.join(at, "cache"),
        agentFile,
        mirror: defaultMirror,
      }),
  );
  const targets = ["rpi_arm64"] as const;
  provesComplete(
    "boot-tree-build",
    "boot-tree",
    planBootTreeBuild({ mirror: defaultMirror, isFetched: false, uncachedTargets: targets }),
    async (at) =>
      buildBootTree({
        outDirectory: path.join(at, "out"),
        cacheDirectory: path.join(at, "cache"),
        targets,
        rootfsDirectory: undefined,

        overwrite: false,
        suite: defaultSuite,
        mirror: defaultMirror,
        refresh: false,
        log: () => {},
      }),
  );
  provesComplete(
    "rootfs-import",
    "rootfs",
    planRootfsImport({ format: "xz", netbootMirror: defaultMirror }),
    async (at) =>
      importRootfs({
        imagePath: path.join(at, "image"),
        outDirectory: path.join(at, "out"),
        netboot: {
          cacheDirectory: path.join(at, "cache"),
          suite: defaultSuite,
          mirror: defaultMirror,
          refresh: false,
          log: () => {},
        },
      }),
    async (at) => {
      const demo = await buildDemoImage({ cacheDirectory: checkoutCache("demo-image"), name: "debian-demo" });
      await compress(demo.imagePath, path.join(at, "image"));
    },
  );
  const signal = new AbortController().signal;
  const openImages = async (at: string) => {
    const directory = path.join(at, "images");
    const images = await createImageStore({ directory, log: { warn: () => {} } });
    return { images, deriver: createImageDeriver({ images, directory, layOut }) };
  };
  provesComplete(
    "images-add",
    "images",
    planImagesAdd({ formats: ["xz"] }),
    async (at) =>
      (await openImages(at)).images.add({ name: "one", source: createReadStream(path.join(at, "one.xz")), signal }),
    async (at) => {
      await buildSystemImage(path.join(at, "one"), aSystem("one", 12), 2024);
      await compress(path.join(at, "one"), path.join(at, "one.xz"));
    },
  );
  provesComplete(
    "images-capture",
    "images",
    planImagesCapture(),
    async (at) => {
      const { images } = await openImages(at);
      const hooks: (() => unknown)[] = [];
      const disk = await aDiskReader({ after: (hook) => hooks.push(hook) }, path.join(at, "one"));
      const origin = { node: "pi-7", device: "/dev/mmcblk0" };
      const request = {
        name: "captured",
        disk,
        origin,
        generalise: true,
        mayHoldKey: true,
        signal,
        onProgress: () => {},
      };
      const { image } = await captureDisk(request, { images, directory: path.join(at, "images") });
      for (const hook of hooks) await hook();
      // Otherwise nothing of the copy was changed, and half of the programs were not run.
      assert.equal(image.capture?.removed.length, 2);
    },
    async (at) => {
      const system = aSystem("one", 12);
      const root = { ...system.root, "etc/hostname": { bytes: "pi-7\n" } };
      const firmware = { ...system.firmware, "start4.off": "firmware" };
      await buildSystemImage(path.join(at, "one"), { ...system, root, firmware }, 2024);
    },
  );
  provesComplete(
    "images-derive",
    "images",
    planImagesDerive({ formats: ["xz"] }),
    async (at) => {
      const { images, deriver } = await openImages(at);
      await images.add({ name: "one", source: createReadStream(path.join(at, "one")), signal });
      const derive = (name: string, source: string) =>
        deriver.derive({ name, from: "one", source: createReadStream(source), signal, onProgress: () => {} });
      await derive("from-image", path.join(at, "two.xz"));
      await derive("from-tree", path.join(at, "tree.tar"));
    },
    async (at) => {
      await buildSystemImage(path.join(at, "one"), aSystem("one", 12), 2024);
      await buildSystemImage(path.join(at, "two"), aSystem("two", 24), 2026);
      await compress(path.join(at, "two"), path.join(at, "two.xz"));
      // What the system mounts from the other partition is in the tree, too.
      const tree = path.join(at, "tree");
      await writeSystem(
        tree,
        { ...aSystem("three", 12).root, "boot/firmware/config.txt": { bytes: "# three\n" } },
        2026,
      );
      await execa("tar", ["--create", "--file", path.join(at, "tree.tar"), "--directory", tree, "."]);
    },
  );
});

/** As people get images, but compressed no longer than it takes. */
async function compress(from: string, to: string): Promise<void> {
  await execa("xz", ["--stdout", "-0", from], { stdout: { file: to }, buffer: false });
}

function aSystem(name: string, rootMiB: number): SystemImage {
  const diskId = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return {
    diskId,
    firmware: {
      "cmdline.txt": `root=PARTUUID=${diskId}-02 rootwait\n`,
      "kernel8.img": noisyKernel(`kernel of ${name}`, 100_000),
    },
    root: {
      "etc/os-release": { bytes: `PRETTY_NAME=${name}\n` },
      "etc/fstab": {
        bytes: `PARTUUID=${diskId}-02 / ext4 defaults 0 1\nPARTUUID=${diskId}-01 /boot/firmware vfat defaults 0 2\n`,
      },
      "sbin/init": { bytes: noise(`init of ${name}`, 300_000), mode: 0o755 },
    },
    rootBytes: rootMiB * 1024 * 1024,
    rootUuid: `${diskId}-0000-4000-8000-000000000001`,
    ext: ["-J", "size=4"],
  };
}

describe("--install", requires("root"), () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-install-"));
    const programs = path.join(folder, "programs");
    await linkDebianPrograms(programs, ["mount"]);
    // An apt that says what it was asked, and whether services may start in the meantime; it brings one program of
    // several.
    await rm(path.join(programs, "apt-get"), { force: true });
    const apt = `#!/bin/sh
echo "apt-get $*" >>${folder}/said
[ "$1" = update ] && exit
/usr/sbin/policy-rc.d rpcbind start || echo "policy $?" >>${folder}/said
printf '#!/bin/sh\\n' >${programs}/mmdebstrap
chmod 755 ${programs}/mmdebstrap
`;
    await writeFile(path.join(programs, "apt-get"), apt);
    await chmod(path.join(programs, "apt-get"), 0o755);
    await mkdir(path.join(folder, "sbin"));
    await writeFile(path.join(folder, "agent"), "#!/bin/sh\n");
  });
  after(() => rm(folder, { recursive: true }));

  it("runs apt once for all that is missing, lets no service start, and says what it did not bring", async () => {
    const command = [path.join(checkout, "controller/main.ts"), "rootfs", "build", "--install", "--refresh"];
    const options = ["--out", path.join(folder, "out"), "--agent", path.join(folder, "agent")];
    // In a mount namespace of its own, so that this machine's policy-rc.d is not touched.
    const inside = `mount --bind ${folder}/sbin /usr/sbin && PATH=${folder}/programs exec "$@"`;
    const { exitCode, stderr } = await execa(
      "unshare",
      ["--mount", "--", "sh", "-c", inside, "sh", process.execPath, ...command, ...options],
      { reject: false },
    );
    assert.equal(exitCode, 1);
    assert.match(stderr, /^installing apt kmod mmdebstrap squashfs-tools xz-utils$/m);
    assert.match(stderr, /did not provide .*mksquashfs/);
    const said = (await readFile(path.join(folder, "said"), "utf8")).split("\n");
    assert.equal(said[0], "apt-get update -qq");
    assert.match(
      said[1] ?? "",
      /^apt-get install -y -qq --no-install-recommends apt kmod mmdebstrap squashfs-tools xz-utils$/,
    );
    assert.equal(said[2], "policy 101");
    assert.deepEqual(await readdir(path.join(folder, "sbin")), [], "policy-rc.d is gone again");
    await assert.rejects(stat(path.join(folder, "out")), "nothing was begun");
  });
});
