import { messageOf } from "../../proto/failure.ts";
import { readProgramFile } from "../../proto/linux/read-program-file.ts";
import type { AgentRole } from "../../proto/system/agent-program.ts";
import type { ResidentProgram } from "../../proto/system/judge-resident.ts";

/**
 * What this agent would install as the resident agent, for the controller to plan with. Undefined when that is unknown:
 * it cannot be read (reported as a warning, and again by the reimage that wants to install it), or this is a resident
 * agent that is not a single program.
 */
export async function readResidentProgram(
  role: AgentRole,
  path: string | undefined,
  log: { warn(details: object, message: string): void },
): Promise<ResidentProgram | undefined> {
  if (path === undefined) return role === "netboot" ? { sizeBytes: 0, program: { kind: "none" } } : undefined;
  try {
    const { sizeBytes, program } = await readProgramFile(path);
    if (program.kind !== "elf") return { sizeBytes, program };
    const { elf, interpreter } = program;
    return { sizeBytes, program: { kind: "elf", elf: { bits: elf.bits, machine: elf.machine }, interpreter } };
  } catch (error) {
    log.warn({ err: error, path }, `cannot read the program to install as the resident agent: ${messageOf(error)}`);
    return undefined;
  }
}
