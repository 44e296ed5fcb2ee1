import type { AgentRole } from "./agent-program.ts";
import { type InitSystem, type InitTraces, initPath, inittabPath } from "./choose-init-system.ts";
import { addAgentToInittab } from "./inittab.ts";
import { agentUnit, renderAgentUnit } from "./render-agent-unit.ts";
import { renderTasksPathUnit, renderTasksUnit, tasksPathUnit, tasksUnit } from "./render-tasks-units.ts";

/** A file, or a symbolic link, to be placed into a root filesystem. */
export interface PlannedFile {
  /** Path from the root, which begins with a slash. */
  readonly path: string;
  readonly content: { readonly text: string } | { readonly linkTo: string };
}

const units = "/etc/systemd/system";

/** What has systemd start the agent and the tasks of its system: the units, and the links that enable them. */
export const agentUnitPaths: readonly string[] = [agentUnit, tasksUnit, tasksPathUnit].flatMap(pathsOf);

/**
 * The files that have an init system start the agent at boot and again whenever it ends; of a resident one under systemd,
 * its tasks too, which it starts itself elsewhere. Placing them twice is the same; what is as it should be already is left
 * out of an inittab's case.
 */
export function planAgentStart(system: InitSystem, role: AgentRole, traces: InitTraces): readonly PlannedFile[] {
  if (system !== "systemd") {
    const inittab = traces.inittab ?? "";
    const text = addAgentToInittab(inittab, system, role);
    return text === inittab ? [] : [{ path: inittabPath, content: { text } }];
  }
  const unit = enabled(agentUnit, renderAgentUnit(role));
  // Without tasks they do nothing.
  if (role === "resident")
    return [...unit, ...enabled(tasksUnit, renderTasksUnit()), ...enabled(tasksPathUnit, renderTasksPathUnit())];
  // Our initrd starts /sbin/init and nothing else; an installed system may be told another one (init=).
  if (traces.init === undefined && traces.systemd !== undefined)
    return [...unit, { path: initPath, content: { linkTo: traces.systemd } }];
  return unit;
}

/** A unit, and what `systemctl enable` makes of its WantedBy=multi-user.target. */
function enabled(name: string, text: string): readonly PlannedFile[] {
  const [unitPath, enabledPath] = pathsOf(name);
  return [
    { path: unitPath, content: { text } },
    // Relative, so that it leads to the unit even where the root filesystem is mounted somewhere else.
    { path: enabledPath, content: { linkTo: `../${name}` } },
  ];
}

function pathsOf(name: string): readonly [unit: string, enabled: string] {
  return [`${units}/${name}`, `${units}/multi-user.target.wants/${name}`];
}
