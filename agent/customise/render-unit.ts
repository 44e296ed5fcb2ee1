/**
 * The resident agent's unit (systemd.service(5), systemd.exec(5)). It may look at everything and change nothing but the
 * LED: disks can be read and not written, the filesystem is read-only to it, and to reboot it asks systemd.
 * It waits for the network for ever by itself; the order only keeps its log free of attempts that must fail.
 */
export function renderUnit(command: string): string {
  return `[Unit]
Description=Pallet's resident agent: reports what this node runs, and reboots it on command
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${command}
Restart=always
RestartSec=2
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_SYS_BOOT
PrivateMounts=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=yes
ProtectKernelModules=yes
DevicePolicy=closed
DeviceAllow=block-* r

[Install]
WantedBy=multi-user.target
`;
}
