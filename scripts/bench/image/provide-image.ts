import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheEntry } from "../../../controller/artefacts/cache-entry.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { writeBootFiles } from "../../demo-image/write-disk-image.ts";
import { installSystem, type Upgrade, upgradeSystem } from "./build-trees.ts";
import { fillTree } from "./fill-tree.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { makeImage } from "./make-image.ts";
import { choosePackages } from "./packages.ts";

/** How much of an image is unused. */
const freeShare = 0.15;
/** From here on the large system fits with room to spare. */
const largeFromBytes = 2 * 1024 ** 3;

/** The benchmark's image, its upgrade, and the files that other programs take instead of a pack. */
export interface BenchImage {
  readonly sizeBytes: number;
  /** Raw image, sparse where nothing is. */
  readonly image: string;
  /**
   * The same system with packages upgraded, laid out again: as a build would make it that knows no earlier image; absent
   * of an image that was given.
   */
  readonly upgradedImage?: string;
  readonly upgrades: readonly Upgrade[];
}

/** Builds what the cache lacks; a large system takes about ten minutes, once. */
export async function provideImage(cache: string, sizeBytes: number, log: (line: string) => void): Promise<BenchImage> {
  const size = sizeBytes >= largeFromBytes ? "large" : "small";
  const { stdout: architecture } = await execa("dpkg", ["--print-architecture"]);
  const choice = choosePackages(size, architecture);
  const systemKey = await keyOf(["packages.ts", "build-trees.ts"], [architecture, size]);
  const system = await cacheEntry(cache, `system-${size}-${systemKey}`, async (folder) => {
    log(`installing the ${size} Debian system of the image (${choice.included.length} packages and what they need)`);
    await installSystem(join(folder, "root"), choice);
    log(`upgrading ${choice.upgraded.length} packages in a copy of it`);
    await execa("cp", ["--archive", join(folder, "root"), join(folder, "upgraded")]);
    const upgrades = await upgradeSystem(join(folder, "upgraded"), choice.upgraded);
    await writeFile(join(folder, "upgrades.json"), JSON.stringify(upgrades, null, 2));
  });
  const imageKey = await keyOf(
    ["fill-tree.ts", "layout.ts", "make-image.ts", "provide-image.ts"],
    [systemKey, String(sizeBytes)],
  );
  const images = await cacheEntry(cache, `image-${sizeBytes / 1024 ** 2}M-${imageKey}`, async (folder) => {
    log(`writing the image of ${sizeBytes / 1024 ** 2} MiB and the upgraded one`);
    await buildImages(system, folder, layoutOf(sizeBytes));
  });
  return {
    sizeBytes,
    image: join(images, "system.img"),
    upgradedImage: join(images, "upgraded.img"),
    upgrades: JSON.parse(await readFile(join(system, "upgrades.json"), "utf8")),
  };
}

/** A raw image of the user's, copied into the cache, because its forms are made beside it. */
export async function takeImage(cache: string, file: string): Promise<BenchImage> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(file)) hash.update(piece);
  const folder = await cacheEntry(cache, `given-${hash.digest("hex").slice(0, 16)}`, async (building) => {
    await execa("cp", ["--sparse=always", file, join(building, "system.img")]);
  });
  const image = join(folder, "system.img");
  return { sizeBytes: (await stat(image)).size, image, upgrades: [] };
}

async function buildImages(system: string, folder: string, layout: Layout): Promise<void> {
  const identity = { diskId: "70a11e70", rootUuid: "70a11e70-0000-4000-8000-000000000001" };
  const [base, upgraded] = await Promise.all(
    ["root", "upgraded"].map(async (name) => {
      const stage = join(folder, name);
      // Hard links make the copy free; nothing below is written to in place.
      await execa("cp", ["--archive", "--link", join(system, name), stage]);
      const boot = join(folder, `${name}-boot`);
      const kernels = join(folder, `${name}-kernels`);
      await mkdir(kernels);
      const names = (await readdir(join(stage, "boot"))).filter((file) => /^(vmlinuz|initrd\.img)-/.test(file));
      for (const file of names) await cp(join(stage, "boot", file), join(kernels, file));
      return { rootFolder: stage, bootFiles: await writeBootFiles(kernels, boot, identity.diskId) };
    }),
  );
  if (base === undefined || upgraded === undefined) throw new Error("unreachable");

  const image = join(folder, "system.img");
  await makeImage(image, { layout, ...base, ...identity });
  const free = (await freeBytesOfRoot(image, layout)) + (await freeBytesOfBoot(image, layout));
  const excess = free - freeShare * layout.sizeBytes;
  await rm(image);
  const filled = join(folder, "filled");
  await fillTree(base.rootFolder, filled, excess);
  for (const { rootFolder } of [base, upgraded]) await execa("cp", ["--archive", "--link", `${filled}/.`, rootFolder]);
  await makeImage(image, { layout, ...base, ...identity });
  await makeImage(join(folder, "upgraded.img"), { layout, ...upgraded, ...identity });
  for (const path of await readdir(folder))
    if (!path.endsWith(".img")) await rm(join(folder, path), { recursive: true });
}

async function freeBytesOfRoot(image: string, { root }: Layout): Promise<number> {
  const { stdout } = await execa("dumpe2fs", ["-h", `${image}?offset=${root.offsetBytes}`]);
  const [, blocks] = /^Free blocks:\s+(\d+)$/m.exec(stdout) ?? [];
  if (blocks === undefined) throw new Error("dumpe2fs does not report the free blocks");
  return Number(blocks) * 4096;
}

async function freeBytesOfBoot(image: string, { boot }: Layout): Promise<number> {
  const { stdout } = await execa("mdir", ["-i", `${image}@@${boot.offsetBytes}`, "::"]);
  const [, bytes] = /^\s*([\d ]+) bytes free$/m.exec(stdout) ?? [];
  if (bytes === undefined) throw new Error("mdir does not report the free bytes");
  return Number(bytes.replaceAll(" ", ""));
}

/** Names a content by the sources that decide it. */
async function keyOf(sources: readonly string[], words: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(words.join("\0"));
  for (const name of sources) hash.update(await readFile(new URL(name, import.meta.url)));
  return hash.digest("hex").slice(0, 16);
}
