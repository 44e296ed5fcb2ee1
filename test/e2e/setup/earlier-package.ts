import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "../../../proto/linux/leashed-execa.ts";

/** Less than every version of a package of Pallet. */
export const earlierVersion = "0.0.1";

const packedRoot = "usr/share/pallet/rack/rootfs.tar.zst";

/**
 * Makes of a package the same of an earlier version, as one that somebody has installed before an upgrade; what boards
 * boot, if it holds that, counts as other than in the package.
 *
 * @param folder an empty one, on the filesystem of the result; keeps the unpacked files
 * @returns the path of the .deb file
 */
export async function makeEarlier(deb: string, folder: string): Promise<string> {
  const unpacked = path.join(folder, path.basename(deb, ".deb"));
  await execa("dpkg-deb", ["--raw-extract", deb, unpacked]);
  const control = path.join(unpacked, "DEBIAN");
  const version = /^Version: (.+)$/m.exec(await readFile(path.join(control, "control"), "utf8"))?.[1];
  if (version === undefined) throw new Error(`${deb} has no version`);
  // The scripts name it too.
  for (const name of await readdir(control)) {
    const text = await readFile(path.join(control, name), "utf8");
    await writeFile(path.join(control, name), text.replaceAll(version, earlierVersion));
  }
  if (path.basename(deb).startsWith("pallet-rack_")) await renameRoot(path.join(unpacked, packedRoot), folder);
  const earlier = path.join(folder, path.basename(deb).replace(version, earlierVersion));
  // To compress it would take most of the time.
  await execa("dpkg-deb", ["--root-owner-group", "-Znone", "--build", unpacked, earlier]);
  return earlier;
}

/** Gives a packed root filesystem the key of another one. */
async function renameRoot(archive: string, folder: string): Promise<void> {
  const work = path.join(folder, "packed");
  await execa("mkdir", [work]);
  const keep = ["--numeric-owner", "--xattrs", "--xattrs-include=*"];
  await execa("tar", ["--extract", "--file", archive, "--directory", work, ...keep]);
  const manifest = JSON.parse(await readFile(path.join(work, "manifest.json"), "utf8"));
  await writeFile(path.join(work, "manifest.json"), JSON.stringify({ ...manifest, key: `earlier-${manifest.key}` }));
  // The manifest comes first.
  const names = (await readdir(work)).toSorted(
    (one, other) => Number(other === "manifest.json") - Number(one === "manifest.json"),
  );
  const pack = ["--create", "--use-compress-program=zstd -1", "--file", archive, "--directory", work];
  await execa("tar", [...pack, ...keep, ...names]);
}
