import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "../../proto/linux/leashed-execa.ts";
import type { Architecture } from "./programs.ts";

/** Node for one architecture. */
export interface Base {
  readonly architecture: Architecture;
  readonly node: { readonly version: string };
  /** Path of Node's program. */
  readonly file: string;
}

/**
 * Where pkg works: it writes the path of the script into the binary, so for the same bytes everywhere it is a path of
 * the same length everywhere, whose random part is written over at the end. Therefore not os.tmpdir().
 */
const workPrefix = "/tmp/pallet-";
const randomLength = 6;

/**
 * Makes a single executable of a script: that Node with the script inside.
 *
 * pkg looks for Node under $HOME, in an archive that it would fetch from nodejs.org; it is given a home of its own in
 * which that seems to be fetched and unpacked already. Only a target with the full version keeps it off the network.
 */
export async function pack(
  program: { readonly name: string; readonly script: Uint8Array },
  { architecture, node, file }: Base,
): Promise<Uint8Array> {
  const work = await mkdtemp(workPrefix);
  try {
    const home = path.join(work, "home");
    const archive = path.join(home, `.pkg-cache/sea/node-v${node.version}-linux-${architecture}`);
    await mkdir(path.join(archive, "bin"), { recursive: true });
    await symlink(file, path.join(archive, "bin/node"));
    for (const done of [`${archive}.tar.gz`, `${archive}.tar.gz.ok`, path.join(archive, "bin/node.ok")]) {
      await writeFile(done, "");
    }
    const script = path.join(work, `${program.name}.cjs`);
    const output = path.join(work, program.name);
    await writeFile(script, program.script);
    const target = `node${node.version}-linux-${architecture}`;
    await execa("pkg", ["--sea", script, "--targets", target, "--output", output], {
      preferLocal: true,
      localDir: import.meta.dirname,
      env: { HOME: home, TMPDIR: work },
    });
    return forgetFolder(await readFile(output), work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * The binary with the random part of the work folder's name written over, in place.
 *
 * Throws when that name is in it other than once: then pkg does something else than this file believes.
 */
function forgetFolder(binary: Buffer, work: string): Uint8Array {
  const at = binary.indexOf(`${work}/`);
  if (at < 0 || binary.indexOf(`${work}/`, at + 1) >= 0) {
    throw new Error(`the binary that pkg made does not name its work folder ${work} exactly once`);
  }
  binary.fill("0", at + workPrefix.length, at + workPrefix.length + randomLength);
  return binary;
}
