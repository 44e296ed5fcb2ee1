import { TaskState as WireState } from "../gen/pallet/v1/node.ts";
import { wireWords } from "./wire-words.ts";

/** How far a task is; see pallet.v1.TaskState. */
export type TaskState = "waiting" | "running" | "succeeded" | "failed";

/** The states as they travel. */
export const taskStates = wireWords<TaskState, WireState>({
  waiting: WireState.TASK_STATE_WAITING,
  running: WireState.TASK_STATE_RUNNING,
  succeeded: WireState.TASK_STATE_SUCCEEDED,
  failed: WireState.TASK_STATE_FAILED,
});
