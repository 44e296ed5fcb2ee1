import { describeArchitecture, type ElfHeader } from "./parse-elf.ts";
import type { Program } from "./parse-program.ts";

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

/** Selects the first reason for which the program could not run in the system; undefined when it can. */
export function selectMisfit(
  program: Program,
  system: { readonly elf: ElfHeader | undefined; readonly hasInterpreter: boolean },
): Misfit | undefined {
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
  if (interpreter !== undefined && !system.hasInterpreter)
    return { kind: "interpreter", evidence: { expected: interpreter, found: "no such file in the system" } };
  return undefined;
}
