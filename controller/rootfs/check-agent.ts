import { Failure } from "../../proto/failure.ts";
import { type ProgramFile, readProgramFile } from "../../proto/linux/read-program-file.ts";
import { describeArchitecture, isArm64 } from "../../proto/system/parse-elf.ts";
import type { Program } from "../../proto/system/parse-program.ts";
import { type SystemForPrograms, selectMisfit } from "../../proto/system/select-misfit.ts";

/**
 * Refuses, with a Failure `invalid`, an agent that a 64-bit Pi could not start: it must be an ELF file for 64-bit ARM,
 * or a script. Returns what the program needs to run.
 */
export async function checkAgent(path: string): Promise<Program> {
  const { program } = await read(path);
  if (program.kind === "script" || (program.kind === "elf" && isArm64(program.elf))) return program;
  throw new Failure("invalid", `${path} is not a program for arm64 Linux: a node could not start it as its agent`, {
    expected: "an ELF file for 64-bit ARM64, or a script",
    found: program.kind === "elf" ? `an ELF file for ${describeArchitecture(program.elf)}` : "neither",
  });
}

async function read(path: string): Promise<ProgramFile> {
  try {
    return await readProgramFile(path);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (cause as Error).message;
    throw new Failure(
      "invalid",
      `cannot read the agent ${path}: ${why}; choose one with --agent (npm run build:binaries makes it)`,
      { cause },
    );
  }
}

/** Throws a Failure `unsupported` when the agent could not run in the root filesystem. */
export function checkAgentFits(program: Program, system: SystemForPrograms): void {
  const misfit = selectMisfit(program, system);
  if (misfit === undefined) return;
  switch (misfit.kind) {
    case "no-program":
      throw new Failure("unsupported", "the agent is neither an ELF file nor a script");
    case "unknown-system":
      throw new Failure(
        "unsupported",
        "the root filesystem has neither /sbin/init nor /bin/sh as a binary, so it cannot be told whether the agent would run in it",
      );
    case "architecture": {
      const { expected, found } = misfit.evidence;
      throw new Failure(
        "unsupported",
        `the root filesystem is a ${found} system, in which the agent (${expected}) does not run: bake into the ` +
          `${misfit.bits}-bit image of that system`,
        misfit.evidence,
      );
    }
    case "interpreter":
      throw new Failure(
        "unsupported",
        "the root filesystem's C library is not the one that the agent was built for (glibc): bake into another one",
        misfit.evidence,
      );
  }
}
