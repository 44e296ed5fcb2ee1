import { join, resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { addAgent, type BootTree, isInside, placeBootTree, type Source } from "./place-boot-tree.ts";
import { readBootTreeManifest } from "./read-manifest.ts";

/** A boot tree that was built elsewhere, and where it is to be served. */
export interface BootTreeCopy {
  /** What "controller boot-tree build --no-rootfs" made; the package pallet-rack brings one. */
  readonly from: string;
  /** Folder that TFTP serves; it may be served in the meantime. */
  readonly outDirectory: string;
  /** Where the agent's kernel, its initrd and the device trees come from: the output of a "controller rootfs" command. */
  readonly rootfsDirectory: string;
  /** Replace files that someone else wrote or changed. */
  readonly overwrite: boolean;
}

/**
 * Makes a boot tree of one that was built elsewhere and of this machine's root filesystem, as a build of it here would.
 *
 * Throws Failure "invalid" where there is none, it is damaged, or there is no root filesystem.
 */
export async function copyBootTree({
  from,
  outDirectory,
  rootfsDirectory,
  overwrite,
}: BootTreeCopy): Promise<BootTree> {
  const folder = resolve(from);
  const built = await readBootTreeManifest(folder);
  if (built === undefined) throw new Failure("invalid", `there is no boot tree in ${folder}`);
  const sources = new Map<string, Source>();
  for (const [name, { sha256 }] of Object.entries(built.files)) {
    if (!isInside(name)) throw new Failure("invalid", `the boot tree in ${folder} names ${name}, outside of it`);
    sources.set(name, { path: join(folder, name), sha256 });
  }
  const kernel = await addAgent(sources, resolve(rootfsDirectory));
  const { uBoot, firmware } = built.versions;
  const made = { versions: { uBoot, firmware, kernel }, targets: built.targets, sources };
  return placeBootTree(resolve(outDirectory), made, { overwrite });
}
