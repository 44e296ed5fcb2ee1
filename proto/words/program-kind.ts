import { ProgramKind as WireKind } from "../gen/pallet/v1/node.ts";
import { wireWords } from "./wire-words.ts";

/** What a program is that would be installed; "none" when there is none. */
export type ProgramKind = "elf" | "script" | "other" | "none";

/** Kinds of programs as they travel. */
export const programKinds = wireWords<ProgramKind, WireKind>({
  elf: WireKind.PROGRAM_KIND_ELF,
  script: WireKind.PROGRAM_KIND_SCRIPT,
  other: WireKind.PROGRAM_KIND_OTHER,
  none: WireKind.PROGRAM_KIND_NONE,
});
