import { type InitTraces, initPath, inittabPath, systemdPaths } from "./choose-init-system.ts";
import { type ElfHeader, elfHeaderBytes, parseElfHeader } from "./parse-elf.ts";
import type { ProgramNeeds } from "./parse-program.ts";

/** A root filesystem that is not the running one; its links are followed inside it, absolute ones too. */
export interface RootView {
  /** Where a path leads in the end, as a path in that root; undefined when there is nothing. */
  resolve(path: string): Promise<string | undefined>;
  /** At most the given number of bytes from the start of a regular file; undefined if there is none. */
  readStart(path: string, maxBytes: number): Promise<Buffer | undefined>;
  /** Text of a regular file; undefined when there is none. */
  readText(path: string): Promise<string | undefined>;
}

/** What an agent that is to be started there depends on. */
export interface RootFindings {
  readonly traces: InitTraces;
  /** What the system's own programs are built for; undefined when neither its init nor its shell is a binary. */
  readonly elf: ElfHeader | undefined;
  /** Whether it has a regular file at each path of a dynamic loader that was looked for. */
  readonly loaders: Readonly<Record<string, boolean>>;
}

/**
 * Examines a root filesystem for a program that is to be installed in it and wants one of these dynamic loaders.
 * Rejects with what the view rejects with.
 */
export async function examineRoot(root: RootView, loaderPaths: readonly string[]): Promise<RootFindings> {
  const loaders: Record<string, boolean> = {};
  for (const path of loaderPaths) loaders[path] = (await root.readStart(path, 1)) !== undefined;
  return {
    traces: {
      init: await root.resolve(initPath),
      systemd: await firstThere(root, systemdPaths),
      inittab: await root.readText(inittabPath),
    },
    elf: await firstElf(root, [initPath, "/bin/sh"]),
    loaders,
  };
}

/** The dynamic loaders that a program wants: one or none. */
export function loadersOf(program: ProgramNeeds): readonly string[] {
  return program.kind === "elf" && program.interpreter !== undefined ? [program.interpreter] : [];
}

async function firstThere(root: RootView, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if ((await root.resolve(path)) !== undefined) return path;
  return undefined;
}

async function firstElf(root: RootView, paths: readonly string[]): Promise<ElfHeader | undefined> {
  for (const path of paths) {
    const start = await root.readStart(path, elfHeaderBytes);
    const elf = start && parseElfHeader(start);
    if (elf !== undefined) return elf;
  }
  return undefined;
}
