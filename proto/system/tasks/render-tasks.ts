import type { TaskConfig } from "../system-config.ts";

/** What the file of an installed system says of its tasks. Plain data. */
export interface TasksFile {
  /** Which config they are of, as its stamp says it: 64 hexadecimal digits. */
  readonly configDigest: string;
  /** In the order in which they run. Those that have succeeded have lost their secrets. */
  readonly tasks: readonly TaskConfig[];
}

/** Where it is in an installed system: root's alone, because it holds secrets. */
export const tasksPath = "/etc/pallet/tasks.json";
export const tasksMode = 0o600;

/** The text of the file: JSON, for people too. The tasks have to be ones that `taskSchema` takes. */
export function renderTasks(tasks: readonly TaskConfig[], configDigest: string): string {
  return `${JSON.stringify({ configDigest, tasks }, null, 2)}\n`;
}

/** The same file without the secrets of a task; the same object if there are none. */
export function withoutSecrets(file: TasksFile, name: string): TasksFile {
  if (!file.tasks.some((task) => task.name === name && task.secrets !== undefined)) return file;
  return {
    ...file,
    tasks: file.tasks.map((task) => {
      if (task.name !== name) return task;
      const { secrets: _, ...rest } = task;
      return rest;
    }),
  };
}
