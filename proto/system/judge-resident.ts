import { Failure } from "../failure.ts";
import { chooseInitSystem, describeInit, type InitTraces } from "./choose-init-system.ts";
import type { ProgramNeeds } from "./parse-program.ts";
import { type Misfit, type SystemForPrograms, selectMisfit } from "./select-misfit.ts";

/** What would be installed as the resident agent; see pallet.v1.ResidentProgram. */
export interface ResidentProgram {
  readonly sizeBytes: number;
  /** "none": the agent runs from source, and was told of no program. */
  readonly program: ProgramNeeds | { readonly kind: "none" };
}

/** The root filesystem that it would be installed in. */
export interface ResidentHost extends SystemForPrograms {
  readonly traces: InitTraces;
  /** Bytes free in it; undefined when unknown, which is no reason to refuse. */
  readonly freeBytes: number | undefined;
}

/** Space to leave free besides the agent, so that the system can write its first logs and keys. */
const spareBytes = 4 * 1024 * 1024;

const leaveOut = "or reimage with --no-resident, which leaves the image untouched";

/**
 * The one decision whether the resident agent can be installed in a system: why not, or undefined. The controller plans
 * by it, with what importing the image has found, and the agent asks it again on the card before it installs anything.
 *
 * A Failure names finding and remedy: `unsupported` for a system that cannot start or run it, `too-small`.
 *
 * @param resident undefined while it is unknown what would be installed: only what holds for every program counts then
 */
export function judgeResident(resident: ResidentProgram | undefined, system: ResidentHost): Failure | undefined {
  if (chooseInitSystem(system.traces) === undefined)
    return new Failure(
      "unsupported",
      "the image has no init system that could start the resident agent: reimage with --no-resident, which leaves it untouched",
      describeInit(system.traces),
    );
  if (resident === undefined) return undefined;
  const { program, sizeBytes } = resident;
  if (program.kind === "none") return noResidentProgram();
  const misfit = selectMisfit(program, system);
  return misfit === undefined ? judgeSpace(sizeBytes, system.freeBytes) : refusal(misfit);
}

/** Why nothing can be installed by an agent that has no program to install. */
export function noResidentProgram(): Failure {
  return new Failure(
    "unsupported",
    "this agent runs from source, so there is no single program to install as the resident agent: start it with " +
      "--resident-program, run the built binary, or reimage with --no-resident",
  );
}

function judgeSpace(sizeBytes: number, freeBytes: number | undefined): Failure | undefined {
  if (freeBytes === undefined) return undefined;
  const missing = sizeBytes + spareBytes - freeBytes;
  if (missing <= 0) return undefined;
  return new Failure(
    "too-small",
    `the image's root filesystem has no room for the resident agent: it is ${mib(sizeBytes)}, ` +
      `${mib(freeBytes)} are free, ${mib(missing)} more are needed; enlarge that filesystem before ` +
      `"images add", ${leaveOut}`,
    { expected: String(sizeBytes + spareBytes), found: String(freeBytes) },
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
