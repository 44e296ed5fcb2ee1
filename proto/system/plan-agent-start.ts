import type { AgentRole } from "./agent-program.ts";
import { type InitSystem, type InitTraces, initPath, inittabPath } from "./choose-init-system.ts";
import { addAgentToInittab } from "./inittab.ts";
import { agentUnit, renderAgentUnit } from "./render-agent-unit.ts";

/** A file, or a symbolic link, to be placed into a root filesystem. */
export interface PlannedFile {
  /** Path from the root, which begins with a slash. */
  readonly path: string;
  readonly content: { readonly text: string } | { readonly linkTo: string };
}

const units = "/etc/systemd/system";

/** What has systemd start the agent, in every role: the unit, and the link that enables it. */
export const agentUnitPaths: readonly [unit: string, enabled: string] = [
  `${units}/${agentUnit}`,
  `${units}/multi-user.target.wants/${agentUnit}`,
];

/**
 * The files that have an init system start the agent at boot and again whenever it ends. Placing them twice is the
 * same; what is as it should be already is left out of an inittab's case.
 */
export function planAgentStart(system: InitSystem, role: AgentRole, traces: InitTraces): readonly PlannedFile[] {
  if (system !== "systemd") {
    const inittab = traces.inittab ?? "";
    const text = addAgentToInittab(inittab, system, role);
    return text === inittab ? [] : [{ path: inittabPath, content: { text } }];
  }
  const [unitPath, enabledPath] = agentUnitPaths;
  const unit: readonly PlannedFile[] = [
    { path: unitPath, content: { text: renderAgentUnit(role) } },
    // What `systemctl enable` makes of WantedBy=multi-user.target; relative, so that it leads to the unit even where
    // the root filesystem is mounted somewhere else.
    { path: enabledPath, content: { linkTo: `../${agentUnit}` } },
  ];
  // Our initrd starts /sbin/init and nothing else; an installed system may be told another one (init=).
  if (role === "netboot" && traces.init === undefined && traces.systemd !== undefined)
    return [...unit, { path: initPath, content: { linkTo: traces.systemd } }];
  return unit;
}
