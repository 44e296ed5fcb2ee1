import { Failure } from "../../proto/failure.ts";
import { describeArchitecture, type ElfHeader } from "./elf.ts";

/** What has to fit together: a program and the system that it is to run in. */
export interface Fit {
  readonly program: {
    readonly sizeBytes: number;
    /** Undefined when it is no binary but a script, which the system's own interpreter runs. */
    readonly elf: ElfHeader | undefined;
    /** Path of the dynamic loader that it wants. */
    readonly interpreter: string | undefined;
  };
  readonly system: {
    /** The header of one of its own programs; undefined when none was found. */
    readonly elf: ElfHeader | undefined;
    /** Whether it has a file at the path that the program's loader has. */
    readonly hasInterpreter: boolean;
    /** Bytes free in its root filesystem. */
    readonly freeBytes: number;
  };
}

/** What stays free beside the agent, so that the system can write its first logs and keys. */
const SPARE_BYTES = 4 * 1024 * 1024;

const leaveOut = "or reimage with --no-resident, which leaves the image untouched";

/** Throws a Failure, `unsupported` or `too-small`, when the program could not run in the system or has no place there. */
export function checkFit({ program, system }: Fit): void {
  if (program.elf !== undefined) checkArchitecture(program.elf, system.elf);
  if (program.interpreter !== undefined && !system.hasInterpreter)
    throw new Failure(
      "unsupported",
      `the image's C library is not the one that the resident agent was built for (glibc): take another image, ${leaveOut}`,
      { expected: program.interpreter, found: "no such file in the image" },
    );
  const missing = program.sizeBytes + SPARE_BYTES - system.freeBytes;
  if (missing > 0)
    throw new Failure(
      "too-small",
      `the image's root filesystem has no room for the resident agent: it is ${mib(program.sizeBytes)}, ` +
        `${mib(system.freeBytes)} are free, ${mib(missing)} are missing; make that filesystem larger before ` +
        `"images add", ${leaveOut}`,
      { expected: String(program.sizeBytes + SPARE_BYTES), found: String(system.freeBytes) },
    );
}

function checkArchitecture(program: ElfHeader, system: ElfHeader | undefined): void {
  if (system === undefined)
    throw new Failure(
      "unsupported",
      "the image has neither /sbin/init nor /bin/sh as a binary, so it cannot be told whether the resident agent would " +
        "run in it: reimage with --no-resident, which leaves it untouched",
    );
  if (program.bits === system.bits && program.machine === system.machine) return;
  throw new Failure(
    "unsupported",
    `the image is a ${describeArchitecture(system)} system, in which the resident agent (${describeArchitecture(program)}) ` +
      `does not run: take the ${program.bits}-bit image of that system, ${leaveOut}`,
    { expected: describeArchitecture(program), found: describeArchitecture(system) },
  );
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / (1024 * 1024))} MiB`;
}
