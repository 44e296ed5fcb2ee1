import { type AgentRole, agentCommands } from "./agent-program.ts";

/** Name of the agent's unit, in every role: one agent takes the place of another. */
export const agentUnit = "pallet-agent.service";

/** The intended differences between the roles. */
const roles: Readonly<Record<AgentRole, { readonly description: string; readonly service: readonly string[] }>> = {
  netboot: {
    description: "Pallet agent",
    // On a board without a working network, the console is all there is.
    service: ["StandardOutput=journal+console", "StandardError=journal+console"],
  },
  // It may look at everything and change nothing but the LED: disks can be read and not written, the filesystem is
  // read-only to it but for the folder with its settings, where it keeps the controller's addresses, and to reboot it
  // asks systemd. It looks into /lib/modules, which ProtectKernelModules= would hide;
  // its capabilities keep it from loading any.
  resident: {
    description: "Pallet's resident agent: reports what this node runs, and reboots it on command",
    service: [
      "NoNewPrivileges=yes",
      "CapabilityBoundingSet=CAP_SYS_BOOT",
      "PrivateTmp=yes",
      "ProtectSystem=strict",
      "ReadWritePaths=-/etc/pallet",
      "ProtectHome=yes",
      "DevicePolicy=closed",
      "DeviceAllow=block-* r",
    ],
  },
};

/**
 * The agent's unit (systemd.service(5), systemd.exec(5)): back a second after it has ended for whatever reason, as by
 * an inittab, and never given up. It waits for the network forever by itself; the order only keeps its log free of
 * attempts that must fail. Its mounts are its own, so that a disk that it mounts while it customises a system stays
 * free.
 */
export function renderAgentUnit(role: AgentRole): string {
  const { description, service } = roles[role];
  return `[Unit]
Description=${description}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${agentCommands[role]}
Restart=always
RestartSec=1
PrivateMounts=yes
${service.join("\n")}

[Install]
WantedBy=multi-user.target
`;
}
