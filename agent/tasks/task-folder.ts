import { chmod, chown, mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadLibc } from "../../proto/linux/libc.ts";
import type { TaskConfig } from "../../proto/system/system-config.ts";
import type { TaskFolders, TaskUser } from "./plan-run.ts";

/** The files of a run, which only its user can read; in RAM where the system has a place for that. */
export interface TaskFolder extends TaskFolders {
  /** A pipe that it writes to: a named one, so that it can open /dev/stdout and /dev/stderr as its user. */
  readonly output: string;
  remove(): Promise<void>;
}

/** TMPFS_MAGIC and RAMFS_MAGIC of <linux/magic.h>. */
const inRam: readonly number[] = [0x0102_1994, 0x8584_58f6];

/** Where the files of runs go: the first of the folders that is in RAM, otherwise the last one. */
export async function chooseRunFolder(candidates: readonly string[], last: string): Promise<string> {
  for (const folder of candidates) {
    const found = await statfs(folder).catch(() => undefined);
    if (found !== undefined && inRam.includes(found.type >>> 0)) return join(folder, "pallet-tasks");
  }
  return join(last, "run");
}

/** Makes the files of a run, and removes what an earlier one has left of them. Rejects with the filesystem's error. */
export async function makeTaskFolder(parent: string, task: TaskConfig, user: TaskUser): Promise<TaskFolder> {
  const folder = join(parent, task.name);
  const [script, secrets, output] = ["script", "secrets", "output"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const own = async (path: string, mode: number): Promise<void> => {
    await chmod(path, mode);
    await chown(path, user.uid, user.gid);
  };
  await remove();
  await mkdir(parent, { recursive: true });
  // Others may pass through, and see no names.
  await chmod(parent, 0o711);
  await mkdir(folder, { mode: 0o700 });
  if (task.run.kind === "script") {
    await writeFile(script, task.run.text, { flag: "wx", mode: 0o600 });
    await own(script, 0o500);
  }
  if (task.secrets !== undefined) {
    await mkdir(secrets, { mode: 0o700 });
    for (const [name, text] of Object.entries(task.secrets)) {
      await writeFile(join(secrets, name), text, { flag: "wx", mode: 0o600 });
      await own(join(secrets, name), 0o400);
    }
    await own(secrets, 0o700);
  }
  loadLibc().mkfifo(output, 0o600);
  await own(output, 0o600);
  // Its owner last: nobody else has changed anything in it before.
  await own(folder, 0o700);
  return { script, secrets, output, remove };
}
