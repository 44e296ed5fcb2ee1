import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { renderTasks } from "../../../proto/system/tasks/render-tasks.ts";
import { parseTasksState, renderTasksState } from "../../../proto/system/tasks/tasks-state.ts";
import type { TaskState } from "../../../proto/words/task-state.ts";
import type { World } from "./world.ts";

const configDigest = "ab".repeat(32);

/** Has the system of the resident agent have one task that is so, and does nothing when it runs. */
export async function withTask({ tasksRoot }: World, state: TaskState): Promise<void> {
  const place = async (name: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(tasksRoot, name)), { recursive: true });
    await writeFile(path.join(tasksRoot, name), text);
  };
  await rm(tasksRoot, { recursive: true, force: true });
  const problem = state === "failed" ? { problem: "exit code 7" } : {};
  const kept = { configDigest, tasks: [{ name: "join", state, starts: 1, ...problem }] };
  await place("var/lib/pallet/tasks/state.json", renderTasksState(kept));
  const join = { name: "join", run: { kind: "command", words: ["true"] }, timeoutMs: 60_000 } as const;
  await place("etc/pallet/tasks.json", renderTasks([join], configDigest));
}

/** Whether it was tried again, or, where systemd has a unit for that, is about to be. */
export async function isRetried({ tasksRoot }: World): Promise<boolean> {
  if (existsSync(path.join(tasksRoot, "run/pallet/retry-tasks"))) return true;
  const text = await readFile(path.join(tasksRoot, "var/lib/pallet/tasks/state.json"), "utf8");
  return parseTasksState(text).tasks[0]?.state === "succeeded";
}

/** Has the resident agent find no place to leave word in. */
export async function withoutPlaceForWord({ tasksRoot }: World): Promise<void> {
  await mkdir(path.join(tasksRoot, "run"), { recursive: true });
  await writeFile(path.join(tasksRoot, "run/pallet"), "");
}
