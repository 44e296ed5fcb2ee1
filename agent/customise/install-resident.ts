import { createReadStream } from "node:fs";
import { statfs } from "node:fs/promises";
import { checkFit } from "./check-fit.ts";
import { ELF_HEADER_BYTES, type ElfHeader, parseElfHeader } from "./elf.ts";
import { readInside, readTextInside, resolveInside } from "./foreign-root.ts";
import { chooseInitSystem } from "./init-system.ts";
import { placeFile, placeLink } from "./place-file.ts";
import { readProgramFile } from "./read-elf.ts";
import { programPlace, residentFiles } from "./resident-files.ts";

/** Where to install the agent. */
export interface InstallResident {
  /** Folder at which the new system's root filesystem is mounted. */
  readonly root: string;
  /** Path, on this machine, of the agent's program. */
  readonly program: string;
  readonly signal?: AbortSignal | undefined;
}

const MAX_INITTAB_BYTES = 256 * 1024;

/**
 * Installs the agent's program into the new system and has its init start it. Everything is decided before the first
 * byte is written; doing it twice is the same as once.
 *
 * Throws a Failure: `unsupported` for a system that cannot run or start it, `too-small`, `invalid` for a filesystem that
 * is not one of a system; other errors as the filesystem gives them.
 */
export async function installResident({ root, program, signal }: InstallResident): Promise<void> {
  const [init, inittab, file] = await Promise.all([
    resolveInside(root, "/sbin/init"),
    readTextInside(root, "/etc/inittab", MAX_INITTAB_BYTES),
    readProgramFile(program),
  ]);
  const system = chooseInitSystem({ init, inittab });
  const { bfree, bsize } = await statfs(root);
  checkFit({
    program: file,
    system: {
      elf: await architectureOf(root),
      hasInterpreter: file.interpreter !== undefined && (await isFile(root, file.interpreter)),
      freeBytes: bfree * bsize,
    },
  });

  const bytes = createReadStream(program, { highWaterMark: 1024 * 1024 });
  try {
    await placeFile({ root, ...programPlace, content: bytes, mode: 0o755, signal });
  } finally {
    bytes.destroy();
  }
  for (const { folders, name, content } of residentFiles(system, inittab)) {
    if ("linkTo" in content) await placeLink({ root, folders, name, target: content.linkTo });
    else await placeFile({ root, folders, name, content: content.text });
  }
}

/** What the system's own programs are built for. */
async function architectureOf(root: string): Promise<ElfHeader | undefined> {
  for (const path of ["/sbin/init", "/bin/sh"]) {
    const bytes = await readInside(root, path, ELF_HEADER_BYTES);
    const elf = bytes && parseElfHeader(bytes);
    if (elf !== undefined) return elf;
  }
  return undefined;
}

async function isFile(root: string, path: string): Promise<boolean> {
  return (await readInside(root, path, 1)) !== undefined;
}
