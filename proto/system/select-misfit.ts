import { describeArchitecture, type ElfHeader } from "./parse-elf.ts";
import type { ProgramNeeds } from "./parse-program.ts";

/** Why a program cannot run in a system. */
export type Misfit =
  /** The file is not executable. */
  | { readonly kind: "no-program" }
  /** The system's architecture is unknown. */
  | { readonly kind: "unknown-system" }
  | { readonly kind: "architecture"; readonly bits: ElfHeader["bits"]; readonly evidence: MisfitEvidence }
  /** The system's C library is another one: it has no such dynamic loader. */
  | { readonly kind: "interpreter"; readonly evidence: MisfitEvidence };

/** What the program needs, and what the system has. */
export interface MisfitEvidence {
  readonly expected: string;
  readonly found: string;
}

/** What of a system decides whether a program runs in it. */
export interface SystemForPrograms {
  /** What its own programs are built for; undefined when that is unknown. */
  readonly elf: Pick<ElfHeader, "bits" | "machine"> | undefined;
  /** Which dynamic loaders it has, by path, as far as they were looked for. */
  readonly loaders: Readonly<Record<string, boolean>>;
}

/**
 * Selects the first reason for which the program could not run in the system; undefined when there is none. A dynamic
 * loader that nobody has looked for is no reason.
 */
export function selectMisfit(program: ProgramNeeds, system: SystemForPrograms): Misfit | undefined {
  if (program.kind === "script") return undefined;
  if (program.kind === "other") return { kind: "no-program" };
  const { elf, interpreter } = program;
  if (system.elf === undefined) return { kind: "unknown-system" };
  if (elf.bits !== system.elf.bits || elf.machine !== system.elf.machine)
    return {
      kind: "architecture",
      bits: elf.bits,
      evidence: { expected: describeArchitecture(elf), found: describeArchitecture(system.elf) },
    };
  if (interpreter !== undefined && system.loaders[interpreter] === false)
    return { kind: "interpreter", evidence: { expected: interpreter, found: "no such file in the system" } };
  return undefined;
}
