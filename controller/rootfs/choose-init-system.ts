import { Failure } from "../../proto/failure.ts";

/** Who starts services in a root filesystem. */
export type InitSystem = "systemd" | "busybox" | "sysvinit";

/** What tells it. */
export interface InitTraces {
  /** Where /sbin/init leads to in the end, as a path in the root filesystem; undefined when there is none. */
  readonly init: string | undefined;
  /** /usr/lib/systemd/systemd is there. */
  readonly hasSystemd: boolean;
  /** /etc/inittab is there. */
  readonly hasInittab: boolean;
}

/**
 * Chooses by the program that /sbin/init is: what is merely installed besides does not start. Throws a Failure
 * `unsupported` when it is none that the agent can be started by.
 */
export function chooseInitSystem({ init, hasSystemd, hasInittab }: InitTraces): InitSystem {
  const program = init?.replace(/^.*\//, "");
  if (program === "systemd") return "systemd";
  if (program === "busybox") return "busybox";
  if (program === "init" && hasInittab) return "sysvinit";
  // A container-like root without the package systemd-sysv: the kernel would find no init, systemd is meant.
  if (program === undefined && hasSystemd) return "systemd";
  throw new Failure("unsupported", "the root filesystem has no init system that could start the agent", {
    expected: "systemd, busybox's init, or sysvinit with /etc/inittab",
    found: init === undefined ? "no /sbin/init" : `/sbin/init is ${init}`,
  });
}
