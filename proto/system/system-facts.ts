import type { RootFindings } from "./examine-root.ts";
import type { ResidentHost } from "./judge-resident.ts";
import type { ElfHeader } from "./parse-elf.ts";

/** What decides whether a resident agent can be installed in a system, as plain data that survives JSON. */
export interface SystemFacts {
  /** See InitTraces. */
  readonly init?: string | undefined;
  readonly systemd?: string | undefined;
  readonly hasInittab: boolean;
  /** What its own programs are built for; absent when neither its init nor its shell is a binary. */
  readonly elf?: Pick<ElfHeader, "bits" | "machine"> | undefined;
  /** Whether there is a file at each path of a dynamic loader that was looked for. */
  readonly loaders: Readonly<Record<string, boolean>>;
  /** Bytes free in its root filesystem as it is in the image; absent when that cannot be told. */
  readonly freeBytes?: number | undefined;
}

/** The facts to keep of what was found in a root filesystem. */
export function systemFactsOf({ traces, elf, loaders }: RootFindings, freeBytes: number | undefined): SystemFacts {
  const { init, systemd, inittab } = traces;
  return {
    ...(init !== undefined && { init }),
    ...(systemd !== undefined && { systemd }),
    hasInittab: inittab !== undefined,
    ...(elf && { elf: { bits: elf.bits, machine: elf.machine } }),
    loaders,
    ...(freeBytes !== undefined && { freeBytes }),
  };
}

/** The same as `judgeResident` takes it. */
export function hostFrom({ init, systemd, hasInittab, elf, loaders, freeBytes }: SystemFacts): ResidentHost {
  return { traces: { init, systemd, inittab: hasInittab ? "" : undefined }, elf, loaders, freeBytes };
}
