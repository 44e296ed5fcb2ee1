import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseControlGroupMount, parseCpuSeconds } from "./parse-counters.ts";

/** A control group: what its processes use together, including those that have ended. */
export interface ControlGroup {
  readonly folder: string;
  /** The words before a command that make it, and every process that it starts, belong to the group. */
  readonly enter: readonly string[];
  cpuSeconds(): Promise<number>;
  /** Only when every process of it has ended. */
  remove(): Promise<void>;
}

/** Those that are not removed yet. */
const groups = new Set<ControlGroup>();

/** Makes a control group. It accounts; nothing is limited, so no controller need be enabled. */
export async function createControlGroup(name: string): Promise<ControlGroup> {
  const mount = parseControlGroupMount(await readFile("/proc/self/mounts", "utf8"));
  if (mount === undefined) throw new Error("CPU time comes from cgroup v2, which is not mounted on this machine");
  const folder = path.join(mount, `pallet-bench-${process.pid}-${name}`);
  await mkdir(folder);
  const group: ControlGroup = {
    folder,
    enter: ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', folder],
    cpuSeconds: async () => parseCpuSeconds(await readFile(path.join(folder, "cpu.stat"), "utf8")),
    async remove() {
      if (!groups.has(group)) return;
      // A process that has ended leaves its group a moment later.
      for (let tries = 20; ; tries--) {
        try {
          await rmdir(folder);
          groups.delete(group);
          return;
        } catch (error) {
          if (tries === 0) throw error;
          await sleep(50);
        }
      }
    },
  };
  groups.add(group);
  return group;
}

/** Kills whatever still runs in the groups of this process, and removes them. */
export async function endControlGroups(): Promise<void> {
  for (const { folder, remove } of groups) {
    await writeFile(path.join(folder, "cgroup.kill"), "1");
    await remove();
  }
}
