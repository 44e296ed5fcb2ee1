import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { messageOf } from "../../proto/failure.ts";
import { type FoundSystem, parseStamp, stampPath } from "../../proto/system/installed-system.ts";
import { runTool } from "../linux/run-tool.ts";
import { selectStampable } from "./select-stampable.ts";

/** How long looking may take, in milliseconds: a worn card must not keep the node from registering. */
const patienceMs = 10_000;

/**
 * The systems on this node's disks that bear the stamp of a reimage. Nothing is mounted and nothing is written: debugfs(8)
 * opens a filesystem read-only and leaves its journal alone. What cannot be read is logged and left out.
 */
export async function readStamps(
  readBlockDevices: (signal: AbortSignal) => Promise<readonly BlockDevice[]>,
  log: { warn(details: object, message: string): void },
): Promise<readonly FoundSystem[]> {
  const signal = AbortSignal.timeout(patienceMs);
  const found: FoundSystem[] = [];
  try {
    for (const { disk, device } of selectStampable(await readBlockDevices(signal))) {
      const args = ["-R", `cat ${stampPath}`, device];
      // Exits with 0 where there is no such file, too, and with 1 where there is no filesystem that it knows.
      const { stdout } = await runTool({
        tool: "debugfs",
        args,
        task: `look for a stamp on ${device}`,
        acceptedExitCodes: [0, 1],
        signal,
      });
      if (stdout === "") continue;
      try {
        found.push({ disk, device, installed: parseStamp(stdout) });
      } catch (error) {
        log.warn({ err: error, device }, `ignoring the stamp on ${device}: ${messageOf(error)}`);
      }
    }
  } catch (error) {
    log.warn({ err: error }, `could not look for installed systems on the disks: ${messageOf(error)}`);
  }
  return found;
}
