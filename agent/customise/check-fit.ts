import { Failure } from "../../proto/failure.ts";
import type { Program } from "../../proto/system/parse-program.ts";
import { type Misfit, selectMisfit } from "../../proto/system/select-misfit.ts";

/** A program and the system that it has to run in. */
export interface Fit {
  readonly sizeBytes: number;
  readonly program: Program;
  readonly system: Parameters<typeof selectMisfit>[1] & {
    /** Bytes free in its root filesystem. */
    readonly freeBytes: number;
  };
}

/** Space to leave free besides the agent, so that the system can write its first logs and keys. */
const spareBytes = 4 * 1024 * 1024;

const leaveOut = "or reimage with --no-resident, which leaves the image untouched";

/**
 * Throws a Failure, `unsupported` or `too-small`, when the program could not run in the system or has no place there.
 */
export function checkFit({ sizeBytes, program, system }: Fit): void {
  const misfit = selectMisfit(program, system);
  if (misfit !== undefined) throw refusal(misfit);
  const missing = sizeBytes + spareBytes - system.freeBytes;
  if (missing > 0)
    throw new Failure(
      "too-small",
      `the image's root filesystem has no room for the resident agent: it is ${mib(sizeBytes)}, ` +
        `${mib(system.freeBytes)} are free, ${mib(missing)} more are needed; enlarge that filesystem before ` +
        `"images add", ${leaveOut}`,
      { expected: String(sizeBytes + spareBytes), found: String(system.freeBytes) },
    );
}

function refusal(misfit: Misfit): Failure {
  switch (misfit.kind) {
    case "no-program":
      return new Failure(
        "unsupported",
        "the program to install as the resident agent is neither an ELF file nor a script: start the netbooted agent " +
          `with another --resident-program, ${leaveOut}`,
      );
    case "unknown-system":
      return new Failure(
        "unsupported",
        "neither /sbin/init nor /bin/sh in the image is a binary, so it is unknown whether the resident agent would run in " +
          "it: reimage with --no-resident, which leaves the image untouched",
      );
    case "architecture": {
      const { expected, found } = misfit.evidence;
      return new Failure(
        "unsupported",
        `the image is a ${found} system, which cannot run the resident agent (${expected}): ` +
          `use the ${misfit.bits}-bit image of that system, ${leaveOut}`,
        misfit.evidence,
      );
    }
    case "interpreter":
      return new Failure(
        "unsupported",
        `the image does not have the C library that the resident agent was built for (glibc): use another image, ${leaveOut}`,
        misfit.evidence,
      );
  }
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / (1024 * 1024))} MiB`;
}
