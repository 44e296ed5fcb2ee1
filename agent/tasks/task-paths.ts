import { join } from "node:path";
import { retryTasksPath, tasksPath } from "../../proto/system/render-tasks-units.ts";
import { tasksStateFile, tasksStateFolder } from "../../proto/system/tasks/tasks-state.ts";

/** Where the tasks of a system are, and what belongs to them. */
export interface TaskPaths {
  /** The file that says what they are. */
  readonly tasksFile: string;
  readonly stateFolder: string;
  readonly stateFile: string;
  /** The file that is there when what has failed is to run again. */
  readonly retryFile: string;
}

/** The paths below a root, which is "/" but in tests. */
export function taskPathsIn(root: string): TaskPaths {
  return {
    tasksFile: join(root, tasksPath),
    stateFolder: join(root, tasksStateFolder),
    stateFile: join(root, tasksStateFolder, tasksStateFile),
    retryFile: join(root, retryTasksPath),
  };
}
