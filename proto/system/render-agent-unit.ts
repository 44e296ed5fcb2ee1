import { type AgentRole, agentCommands } from "./agent-program.ts";

/** Name of the agent's unit, in every role: one agent takes the place of another. */
export const agentUnit = "pallet-agent.service";

/** What no role needs: other ways to call the kernel, other networks, real time, the machine's name and control groups. */
const common = [
  "NoNewPrivileges=yes",
  "LockPersonality=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
  "RestrictRealtime=yes",
  "SystemCallArchitectures=native",
];

/**
 * The intended differences between the roles. `systemd-analyze security` rates what is left open; what is left has its
 * reason here. Both roles run as root on the host's network, for what they are there for, and V8 compiles JavaScript to
 * machine code (MemoryDenyWriteExecute=).
 */
const roles: Readonly<Record<AgentRole, { readonly description: string; readonly service: readonly string[] }>> = {
  // It has the board to itself, its root is in RAM, and its work is to erase disks, to mount them, to place files of any
  // owner and mode, to load modules for filesystems, to set the clock and to reboot: hardly anything can be taken from it.
  netboot: {
    description: "Pallet agent",
    // On a board without a working network, the console is all there is.
    service: [
      "StandardOutput=journal+console",
      "StandardError=journal+console",
      ...common,
      "SystemCallFilter=~@cpu-emulation @debug @obsolete",
      "SystemCallErrorNumber=EPERM",
    ],
  },
  // It may look at everything and change nothing but the LED: disks can be read and not written, the filesystem is
  // read-only to it but for the folder with its settings, where it keeps the controller's addresses, and to reboot it
  // asks systemd. It looks into /lib/modules, which ProtectKernelModules= would hide; its capabilities keep it from loading
  // any. It reads what all of /proc and /sys say of the board, and writes to the LED there (ProtectKernelTunables=,
  // ProtectProc=, ProcSubset=), from disks in /dev (PrivateDevices=), and for a board report from the kernel's log
  // (ProtectKernelLogs=).
  resident: {
    description: "Pallet's resident agent: reports what this node runs, and reboots it on command",
    service: [
      ...common,
      "CapabilityBoundingSet=CAP_SYS_BOOT",
      "PrivateTmp=yes",
      "ProtectSystem=strict",
      "ReadWritePaths=-/etc/pallet",
      "ProtectHome=yes",
      "DevicePolicy=closed",
      "DeviceAllow=block-* r",
      "ProtectClock=yes",
      "RemoveIPC=yes",
      "RestrictNamespaces=yes",
      "RestrictSUIDSGID=yes",
      "RuntimeDirectory=pallet",
      "SystemCallFilter=@system-service syslog",
      "SystemCallFilter=~@privileged @resources",
      "SystemCallErrorNumber=EPERM",
      "UMask=0077",
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
