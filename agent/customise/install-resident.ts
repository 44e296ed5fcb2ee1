import { createReadStream } from "node:fs";
import { statfs } from "node:fs/promises";
import { Failure } from "../../proto/failure.ts";
import { readInside, readTextInside, resolveInside } from "../../proto/linux/foreign-root.ts";
import { readProgramFile } from "../../proto/linux/read-program-file.ts";
import { agentPrograms } from "../../proto/system/agent-program.ts";
import { chooseInitSystem } from "../../proto/system/choose-init-system.ts";
import { examineRoot, loadersOf } from "../../proto/system/examine-root.ts";
import { judgeResident } from "../../proto/system/judge-resident.ts";
import { planAgentStart } from "../../proto/system/plan-agent-start.ts";
import { placeFile, placeLink, placeOf } from "./place-file.ts";

/** Where to install the agent. */
export interface InstallResident {
  /** Folder at which the new system's root filesystem is mounted. */
  readonly root: string;
  /** Path, on this machine, of the agent's program. */
  readonly program: string;
  readonly signal?: AbortSignal | undefined;
}

/** Longest text that is read of a foreign system. */
const maxTextBytes = 256 * 1024;

/**
 * Installs the agent's program into the new system and has its init start it. Everything is decided before the first
 * byte is written; doing it twice is the same as once.
 *
 * Throws a Failure: `unsupported` for a system that cannot run or start it, `too-small`, `invalid` for a filesystem
 * that is not one of a system; other errors as the filesystem gives them.
 */
export async function installResident({ root, program: path, signal }: InstallResident): Promise<void> {
  const { sizeBytes, program } = await readProgramFile(path);
  const view = {
    resolve: (name: string) => resolveInside(root, name),
    readStart: (name: string, maxBytes: number) => readInside(root, name, maxBytes),
    readText: (name: string) => readTextInside(root, name, maxTextBytes),
  };
  const { traces, ...findings } = await examineRoot(view, loadersOf(program));
  const { bfree, bsize } = await statfs(root);
  const refusal = judgeResident({ sizeBytes, program }, { traces, ...findings, freeBytes: bfree * bsize });
  if (refusal !== undefined) throw refusal;
  const system = chooseInitSystem(traces);
  if (system === undefined) throw new Failure("internal", "a system without an init system was not refused");

  const bytes = createReadStream(path, { highWaterMark: 1024 * 1024 });
  try {
    await placeFile({ root, ...placeOf(agentPrograms.resident), content: bytes, mode: 0o755, signal });
  } finally {
    bytes.destroy();
  }
  for (const { path, content } of planAgentStart(system, "resident", traces)) {
    if ("linkTo" in content) await placeLink({ root, ...placeOf(path), target: content.linkTo });
    else await placeFile({ root, ...placeOf(path), content: content.text });
  }
}
