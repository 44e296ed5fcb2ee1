import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { type Console, createConsole } from "../programs/console.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import type { NetworkNamespace } from "./network-namespace.ts";

/** A real agent beside the boards. */
export interface StrayAgent {
  readonly log: Console;
  stop(): Promise<void>;
}

/** Starts an agent of this checkout in a network namespace; resolves when it serves. */
export function startAgentIn(namespace: NetworkNamespace, ...args: readonly string[]): Promise<StrayAgent> {
  return start(namespace, [], args);
}

/** The same, in a boot whose id is what this file holds. */
export function startAgentInBoot(
  namespace: NetworkNamespace,
  bootIdFile: string,
  ...args: readonly string[]
): Promise<StrayAgent> {
  const cover = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
  return start(namespace, ["unshare", "--mount", "sh", "-c", cover, bootIdFile], args);
}

async function start(
  namespace: NetworkNamespace,
  within: readonly string[],
  args: readonly string[],
): Promise<StrayAgent> {
  // This machine's /run is not its own.
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-agent-in-"));
  const own = ["--socket", path.join(folder, "agent.sock"), "--identity-file", path.join(folder, "identity/agent.pem")];
  const agent = [
    process.execPath,
    (await bundledPrograms()).agent,
    "--kernel-command-line",
    "/dev/null",
    ...own,
    ...args,
  ];
  // It may not reboot this machine.
  const bounded = ["setpriv", "--bounding-set=-sys_boot", "--", ...agent];
  const child = spawnLeashed("nsenter", [`--net=${namespace.path}`, "--", ...within, ...bounded]);
  const gone = ended(child);
  const log = createConsole("agent");
  child.stdout?.setEncoding("utf8").on("data", log.append);
  child.stderr?.setEncoding("utf8").on("data", log.append);
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
    await rm(folder, { recursive: true, force: true });
  };
  await log.waitFor(/"msg":"serving"/).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { log, stop };
}
