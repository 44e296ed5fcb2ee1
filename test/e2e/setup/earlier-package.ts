import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { checkout } from "../../programs/checkout.ts";

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

/**
 * Builds the packages of an earlier commit, by its own scripts, with this checkout's npm packages.
 *
 * @param commit one that this clone's history has, with the same npm packages
 * @param folder where it is checked out, and the .deb files are; made
 * @returns the paths of the .deb files
 */
export async function buildEarlier(commit: string, architecture: string, folder: string): Promise<readonly string[]> {
  const tree = path.join(folder, "tree");
  const out = path.join(folder, "packages");
  await execa("git", ["clone", "--quiet", "--shared", "--no-checkout", checkout, tree]);
  await execa("git", ["-C", tree, "checkout", "--quiet", "--detach", commit]);
  // Not a link to them: esbuild would know them by the names that they have there.
  await execa("cp", ["--archive", path.join(checkout, "node_modules"), tree]);
  await execa(process.execPath, ["scripts/packages/main.ts", "--architecture", architecture, "--out", out], {
    cwd: tree,
  });
  return (await readdir(out)).filter((name) => name.endsWith(".deb")).map((name) => path.join(out, name));
}
