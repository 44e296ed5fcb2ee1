import type { ModuleIndex } from "../artefacts/kernel-modules.ts";
import { networkRootModules } from "./module-lists.ts";

/** Modules that a shared root cannot work without. */
const neededModules = ["nfs", "nfsv3", "overlay"] as const;

/** The drivers of the Ethernet of boards, by what people call these. */
const ethernet: Readonly<Record<string, readonly string[]>> = {
  "Raspberry Pi 2 and 3B": ["smsc95xx"],
  "Raspberry Pi 3B+": ["lan78xx"],
  "Raspberry Pi 4": ["genet"],
};
const otherEthernet = ["virtio_net", "e1000", "macb", "ax88179_178a", "asix", "r8152", "cdc_ether"];

/** What of a kernel goes into the initrd, and what that kernel cannot do. */
export interface NetworkModules {
  /** Names of modules that it has as files. */
  readonly modules: readonly string[];
  /** What it has neither built in nor as a module, though no node could netboot without. */
  readonly lacking: readonly string[];
  /** Boards that it has no Ethernet driver for. */
  readonly withoutEthernet: readonly string[];
}

/** Chooses from the modules of a kernel that someone else built, where some may be built in and others missing. */
export function selectNetworkModules(index: ModuleIndex): NetworkModules {
  const has = (name: string) => index.builtin.has(name) || index.paths.has(name);
  const drivers = [...Object.values(ethernet).flat(), ...otherEthernet];
  return {
    modules: [...networkRootModules, ...otherEthernet].filter((name) => index.paths.has(name)),
    lacking: [...neededModules.filter((name) => !has(name)), ...(drivers.some(has) ? [] : ["any Ethernet driver"])],
    withoutEthernet: Object.keys(ethernet).filter((board) => !ethernet[board]?.some(has)),
  };
}
