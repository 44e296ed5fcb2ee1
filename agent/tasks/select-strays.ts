import { tasksUnit } from "../../proto/system/render-tasks-units.ts";

/** A process, and who started it. */
export interface FoundProcess {
  readonly pid: number;
  readonly parent: number;
}

/**
 * The control group that belongs to the tasks alone, as a path below /sys/fs/cgroup, from the text of
 * /proc/self/cgroup (cgroups(7)); undefined when they do not run in their unit, or not under cgroup v2.
 */
export function selectOwnGroup(cgroup: string): string | undefined {
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  return path?.endsWith(`/${tasksUnit}`) === true && !path.includes("..") ? path : undefined;
}

/** Of the processes of that group, those that a task has left behind: all but the runner and its own children. */
export function selectStrays(found: readonly FoundProcess[], self: number): readonly number[] {
  return found.filter(({ pid, parent }) => pid !== self && parent !== self).map(({ pid }) => pid);
}

/** Whether a process whose environment this is, as /proc has it (proc_pid_environ(5)), was started with a variable. */
export function hasVariable(environ: string, name: string, value: string): boolean {
  return environ.split("\0").includes(`${name}=${value}`);
}
