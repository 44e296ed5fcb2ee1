import { agentPrograms } from "./agent-program.ts";

/** Where an installed system has its tasks: root's alone, because there are secrets among them. */
export const tasksPath = "/etc/pallet/tasks.json";

/** The argument that has the agent's program run the tasks of its system, and end. */
export const runTasksCommand = "run-tasks";

/** Name of the unit in which the tasks run, and of the one that starts it when they are to be tried again. */
export const tasksUnit = "pallet-tasks.service";
export const tasksPathUnit = "pallet-tasks.path";

/**
 * Where the resident agent leaves word that failed tasks are to run again: the one folder that is its own. Whoever runs
 * them removes it first.
 */
export const retryTasksPath = "/run/pallet/retry-tasks";

/**
 * The unit of the tasks (systemd.service(5)). It is not the agent's: tasks need all of the system, which the agent that
 * listens to the network has been denied. Nothing waits for its end, so tasks may start and await other units. A runner
 * that is told to stop ends its task in its own order; whatever is left after that is killed.
 */
export function renderTasksUnit(): string {
  return `[Unit]
Description=Pallet's first-boot tasks
ConditionPathExists=${tasksPath}
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=${agentPrograms.resident} ${runTasksCommand}
Restart=on-failure
RestartSec=10
KillMode=mixed
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
`;
}

/** What starts that unit when the agent asks for it, which has no right to start units (systemd.path(5)). */
export function renderTasksPathUnit(): string {
  return `[Unit]
Description=Tries Pallet's failed first-boot tasks again when its agent asks for it
ConditionPathExists=${tasksPath}

[Path]
PathExists=${retryTasksPath}
Unit=${tasksUnit}

[Install]
WantedBy=multi-user.target
`;
}
