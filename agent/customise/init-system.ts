import { Failure } from "../../proto/failure.ts";

/** Who starts services in a system. */
export type InitSystem = "systemd" | "busybox" | "sysvinit";

/** What tells it. */
export interface InitTraces {
  /** Where /sbin/init leads to in the end, as a path in that system; undefined when there is none. */
  readonly init: string | undefined;
  /** What /etc/inittab holds; undefined when there is none. */
  readonly inittab: string | undefined;
}

/**
 * Chooses by the program that /sbin/init is: what is merely installed besides starts nothing. Throws a Failure
 * `unsupported` when it is none that could keep the agent running.
 */
export function chooseInitSystem({ init, inittab }: InitTraces): InitSystem {
  const program = init?.replace(/^.*\//, "") ?? "";
  if (program === "systemd") return "systemd";
  if (program.startsWith("busybox") && inittab !== undefined) return "busybox";
  if (program === "init" && inittab !== undefined) return "sysvinit";
  const found =
    init === undefined ? "no /sbin/init" : `/sbin/init is ${init}${inittab === undefined ? ", no /etc/inittab" : ""}`;
  throw new Failure(
    "unsupported",
    "the image has no init that could start the resident agent: reimage with --no-resident, which leaves it untouched",
    { expected: "systemd, or busybox's or System V's init with /etc/inittab", found },
  );
}
