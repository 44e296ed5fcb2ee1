import type { TaskConfig } from "../../proto/system/system-config.ts";

/** What a task starts bears this, and so is found when it is to be ended. */
export const runVariable = "PALLET_TASK_RUN";

/** A user as passwd(5) has it. */
export interface TaskUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Where the files of a run are. */
export interface TaskFolders {
  /** Of the script. */
  readonly script: string;
  /** Folder of the secrets. */
  readonly secrets: string;
}

/** A process to start. */
export interface PlannedRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** As systemd.exec(5) gives it to services, where every distribution has its programs. */
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The user of that name in the text of /etc/passwd; undefined when there is none. */
export function findUser(passwd: string, wanted: string): TaskUser | undefined {
  for (const line of passwd.split("\n")) {
    const [name, , uid = "", gid = "", , home = ""] = line.split(":");
    if (name !== wanted || !/^\d{1,10}$/.test(uid) || !/^\d{1,10}$/.test(gid)) continue;
    return { name, uid: Number(uid), gid: Number(gid), home: home.startsWith("/") ? home : "/" };
  }
  return undefined;
}

/**
 * How a task is started as its user: of secrets, only where they are is among the words and variables, which others can
 * read. A script is given to its interpreter as execve(2) does it, so that it may lie where nothing may be executed.
 *
 * @param runId that no other run has, of any task
 */
export function planRun(
  { name, run, environment, secrets }: TaskConfig,
  user: TaskUser,
  folders: TaskFolders,
  runId: string,
): PlannedRun {
  const words = run.kind === "command" ? run.words : [...interpreterOf(run.text), folders.script];
  // Its supplementary groups too, which uid and gid of a spawned process would drop.
  const become = ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--init-groups", "--"];
  const [program = "", ...args] = user.uid === 0 ? words : [...become, ...words];
  return {
    program,
    args,
    environment: {
      ...{ PATH: searchPath, HOME: user.home, LANG: "C.UTF-8", USER: user.name, LOGNAME: user.name },
      ...environment,
      PALLET_TASK: name,
      [runVariable]: runId,
      ...(secrets !== undefined && { PALLET_SECRETS: folders.secrets }),
    },
  };
}

/** The interpreter of a script and, where there is one, its one argument. */
function interpreterOf(script: string): readonly string[] {
  const [line = ""] = script.slice(2).split("\n", 1);
  const [, interpreter = "", argument = ""] = /^[ \t]*([^ \t\r]*)[ \t]*(.*?)[ \t\r]*$/.exec(line) ?? [];
  return argument === "" ? [interpreter] : [interpreter, argument];
}
