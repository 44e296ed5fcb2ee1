import { type AgentRole, agentCommands, agentPrograms } from "./agent-program.ts";
import type { InitSystem } from "./choose-init-system.ts";

/** The init systems that read an inittab. */
export type InittabReader = Exclude<InitSystem, "systemd">;

/**
 * The line of an inittab that starts the agent, and starts it again whenever it ends. In busybox's inittab the first
 * field is a terminal and stays empty; System V's wants an id of its own there, at most four characters, and the
 * runlevels (inittab(5)).
 */
export function agentInittabLine(system: InittabReader, role: AgentRole): string {
  return `${system === "busybox" ? "::" : "plt:2345:"}respawn:${agentCommands[role]}`;
}

/**
 * The inittab with that line, once. A line for the agent from an earlier time goes, in whichever role it was: System
 * V's init ignores the second line with an id. Every other line stays as it is.
 */
export function addAgentToInittab(inittab: string, system: InittabReader, role: AgentRole): string {
  const lines = inittab.split("\n").filter((line) => !startsAgent(line));
  while (lines.at(-1) === "") lines.pop();
  return `${[...lines, agentInittabLine(system, role)].join("\n")}\n`;
}

/** The inittab without any line that starts the agent; every other line stays as it is. */
export function removeAgentFromInittab(inittab: string): string {
  return inittab
    .split("\n")
    .filter((line) => !startsAgent(line))
    .join("\n");
}

function startsAgent(line: string): boolean {
  const program = /^[^#:]*:[^:]*:[^:]*:\s*(\S+)/.exec(line)?.[1];
  return Object.values<string | undefined>(agentPrograms).includes(program);
}
