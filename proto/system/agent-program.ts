/**
 * In which role the agent runs: netbooted it may write disks, as a resident of an installed system only report and
 * reboot.
 */
export type AgentRole = "netboot" | "resident";

/** Where the agent's program is in the root filesystem that starts it in this role. */
export const agentPrograms = {
  netboot: "/usr/bin/pallet-agent",
  resident: "/usr/lib/pallet/agent",
} as const satisfies Record<AgentRole, string>;

/** What an init system runs to start the agent in this role: a program and its arguments, separated by spaces. */
export const agentCommands = {
  netboot: agentPrograms.netboot,
  resident: `${agentPrograms.resident} --role resident`,
} as const satisfies Record<AgentRole, string>;

/** Where the agent serves gRPC to root on its own node. */
export const agentSocketPath = "/run/pallet/agent.sock";
