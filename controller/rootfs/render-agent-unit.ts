/** Name of the agent's unit in a root filesystem with systemd. */
export const agentUnitName = "pallet-agent.service";

/**
 * The agent's unit (systemd.service(5)): started when the network is there, back a second after it has ended for
 * whatever reason. Its mounts are its own, so that a disk that it mounts while it customises a system stays free.
 */
export function renderAgentUnit(agentPath: string): string {
  return `[Unit]
Description=Pallet agent
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${agentPath}
Restart=always
RestartSec=1
PrivateMounts=yes
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
`;
}
