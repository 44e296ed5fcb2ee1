import { constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Logger } from "pino";
import { Failure } from "../../proto/failure.ts";
import { execaOutliving } from "../../proto/linux/leashed-execa.ts";
import { mayAccess } from "../../proto/linux/may-access.ts";
import { systemPath } from "../../proto/linux/system-path.ts";

/**
 * Which program reboots the node: the configured one; where systemd runs, systemd; otherwise the first of reboot(8) and
 * busybox that is installed, by force because nothing else would listen to them. Undefined when there is none. Pure.
 */
export function selectRebootCommand(node: {
  readonly configured: readonly string[] | undefined;
  readonly systemdRuns: boolean;
  readonly isInstalled: (program: string) => boolean;
}): readonly string[] | undefined {
  if (node.configured !== undefined) return node.configured;
  if (node.systemdRuns && node.isInstalled("systemctl")) return ["systemctl", "reboot"];
  return [
    ["reboot", "-f"],
    ["busybox", "reboot", "-f"],
  ].find(([program = ""]) => node.isInstalled(program));
}

/**
 * Finds out how to reboot and returns a function that does it: it logs, waits until `lastWords` has settled, and
 * rejects if the reboot fails. Rejects with a Failure "internal" if there is no way to reboot.
 */
export async function prepareReboot(
  configured: readonly string[] | undefined,
  log: Logger,
  lastWords: () => Promise<unknown>,
): Promise<() => Promise<void>> {
  const installed = new Set<string>();
  for (const program of ["systemctl", "reboot", "busybox"]) if (await isInstalled(program)) installed.add(program);
  const command = selectRebootCommand({
    configured,
    systemdRuns: await mayAccess("/run/systemd/system"),
    isInstalled: (program) => installed.has(program),
  });
  const [program, ...args] = command ?? [];
  if (program === undefined) {
    throw new Failure(
      "internal",
      "found no way to reboot: neither systemd, nor reboot, nor busybox; give --reboot-command",
    );
  }
  return async () => {
    log.info({ command }, "rebooting");
    await lastWords();
    try {
      await execaOutliving(program, args, { stdin: "ignore", env: { PATH: systemPath(process.env["PATH"]) } });
    } catch (error) {
      log.error({ err: error, command }, "could not reboot the node");
      throw error;
    }
  };
}

async function isInstalled(program: string): Promise<boolean> {
  const found = await Promise.all(
    systemPath(process.env["PATH"])
      .split(delimiter)
      .map((folder) => mayAccess(join(folder, program), constants.X_OK)),
  );
  return found.includes(true);
}
