/** What starts services in a root filesystem. */
export type InitSystem = "systemd" | "busybox" | "sysvinit";

/** The evidence for a root filesystem's init system. */
export interface InitTraces {
  /** Where /sbin/init leads in the end, as a path in that root; undefined when there is none. */
  readonly init: string | undefined;
  /** Path of systemd's own program in that root; undefined when it is not installed. */
  readonly systemd: string | undefined;
  /** What /etc/inittab holds; undefined when there is none. */
  readonly inittab: string | undefined;
}

/** The program that kernels and initrds start, unless they are told another one (init/main.c of Linux). */
export const initPath = "/sbin/init";
export const inittabPath = "/etc/inittab";
/** Where distributions put systemd: with and without a merged /usr. */
export const systemdPaths = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"] as const;

/**
 * Chooses by the program that /sbin/init is: what else is installed starts nothing. A root without /sbin/init that has
 * systemd is meant to be started by it. Undefined when nothing there could keep an agent running.
 *
 * Busybox's init counts only with an inittab: without one it does what is built into it, starting the system among it,
 * and a file with the agent's line alone would put an end to that.
 */
export function chooseInitSystem({ init, systemd, inittab }: InitTraces): InitSystem | undefined {
  const program = init?.replace(/^.*\//, "");
  if (program === undefined) return systemd === undefined ? undefined : "systemd";
  if (program === "systemd") return "systemd";
  if (inittab === undefined) return undefined;
  if (program.startsWith("busybox")) return "busybox";
  return program === "init" ? "sysvinit" : undefined;
}

/** What an agent needs of a root filesystem's init, and what was found: evidence of a refusal. */
export function describeInit({ init, inittab }: InitTraces): { readonly expected: string; readonly found: string } {
  return {
    expected: "systemd, or busybox's or System V's init with /etc/inittab",
    found:
      init === undefined ? "no /sbin/init" : `/sbin/init is ${init}${inittab === undefined ? ", no /etc/inittab" : ""}`,
  };
}
