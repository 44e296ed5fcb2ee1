/** A package in the lists of Debian's archive. */
export interface IndexedPackage {
  readonly name: string;
  readonly priority: string;
  /** Its paragraph, without an empty line at its end. */
  readonly text: string;
}

/** The packages that the text of `apt-cache dumpavail` lists. */
export function parseIndex(text: string): readonly IndexedPackage[] {
  return text.split(/\n{2,}/).flatMap((paragraph) => {
    const name = /^Package: (\S+)$/m.exec(paragraph)?.[1];
    const priority = /^Priority: (\S+)$/m.exec(paragraph)?.[1] ?? "optional";
    return name === undefined ? [] : [{ name, priority, text: paragraph.trim() }];
  });
}

/**
 * What a machine with Debian has beside its required packages, as far as it has to do with services and networks: its
 * installer leaves that without any task. It leaves more, but an image of a cloud or a container does not.
 */
export const bareDebian: readonly string[] = [
  ..."systemd-sysv systemd-timesyncd udev dbus ifupdown iproute2 iputils-ping kmod netbase".split(" "),
  ..."nftables procps".split(" "),
];

/** Names of what is on every machine with Debian: what has the priority "required" (policy 2.5), and `bareDebian`. */
export function selectMinimal(index: readonly IndexedPackage[]): readonly string[] {
  return index
    .filter(({ name, priority }) => priority === "required" || bareDebian.includes(name))
    .map(({ name }) => name);
}

/** Names of what `apt-get --simulate install` would install. */
export function parseSimulation(text: string): readonly string[] {
  return [...text.matchAll(/^Inst (\S+)/gm)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** dpkg's file of a machine that has these packages. */
export function renderStatus(index: readonly IndexedPackage[], installed: ReadonlySet<string>): string {
  return index
    .filter(({ name }) => installed.has(name))
    .map(({ text }) => `${text.replace("\n", "\nStatus: install ok installed\n")}\n`)
    .join("\n");
}
