import { agentInittabLine } from "../../proto/system/inittab.ts";

/** What the root filesystem starts besides the agent. */
export interface InittabChoices {
  /** The ssh server; it takes keys only, and makes its host keys in RAM. */
  readonly ssh: boolean;
  /** A root shell on the console for anyone with physical access. */
  readonly consoleShell: boolean;
}

/**
 * The inittab of the root filesystem, for busybox's init (its lines are id:runlevels:action:process, without
 * runlevels). What has the action respawn is started again a second after it has ended.
 */
export function renderInittab({ ssh, consoleShell }: InittabChoices): string {
  const lines = [
    "# busybox init: id:runlevels:action:process",
    "::sysinit:/etc/init.d/rcS",
    agentInittabLine("busybox", "netboot"),
    "::respawn:/usr/lib/pallet/keep-lease",
    // -E: log to the console; -s -g: no passwords; -R: host keys when they are wanted; -j -k: no forwarding.
    ...(ssh ? ["::respawn:/usr/sbin/dropbear -F -E -s -g -R -j -k"] : []),
    ...(consoleShell ? ["::askfirst:-/bin/sh"] : []),
    "::ctrlaltdel:/usr/bin/busybox reboot -f",
    "::shutdown:/bin/sync",
  ];
  return `${lines.join("\n")}\n`;
}
