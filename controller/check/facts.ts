import type { Need } from "../../proto/linux/debian-package.ts";
import type { KernelFormat } from "../artefacts/parse-kernel.ts";
import type { BootTreeManifest } from "../boot-tree/plan-boot-tree.ts";
import type { ClockEvidence } from "../clock/judge-clock.ts";
import type { HookProblem } from "../hooks/find-hook-problems.ts";
import type { Inaccessible } from "./find-inaccessible.ts";
import type { HeldPort } from "./held-port.ts";
import type { InterfaceFact } from "./parse-interfaces.ts";

/** A file that nodes boot with. */
export interface KernelFact {
  /** As nodes ask for it: in the boot tree, or of a version of the root filesystem. */
  readonly path: string;
  /** Absolute path, where it is not in the boot tree. */
  readonly file?: string;
  /** Absent where there is no such file. */
  readonly format?: KernelFormat;
  /** Its release, as `uname -r` prints it; absent if the file does not contain it. */
  readonly release?: string;
}

/** An initrd. */
export interface InitrdFact {
  readonly path: string;
  /** Absolute path, where it is not in the boot tree. */
  readonly file?: string;
  readonly exists: boolean;
  /** Releases of the kernels that it has modules for; absent where it could not be looked into. */
  readonly releases?: readonly string[];
}

/** The root filesystem that nodes mount over NFS. */
export interface RootfsFact {
  readonly path: string;
  /** The store whose version it is; absent where it is none. */
  readonly store?: string;
  readonly isFolder: boolean;
  readonly hasInit: boolean;
  /** Releases that there are modules for. */
  readonly releases: readonly string[];
  /** Whether the agent's program is in it. */
  readonly hasAgent: boolean;
  /** The contract that this agent implements; absent if unknown. */
  readonly contract?: string;
}

/**
 * Capabilities (capabilities(7)) that serving may need, by their bits. net_bind_service is to open ports below 1024.
 */
export const capabilityBits = { net_bind_service: 10, net_admin: 12, net_raw: 13 } as const;
export type Capability = keyof typeof capabilityBits;

/** Facts about this machine that decide whether a node could boot. */
export interface Facts {
  readonly isRoot: boolean;
  /** What this user is called. */
  readonly user: string;
  /** With what he may not do what the controller has to. */
  readonly inaccessible: readonly Inaccessible[];
  /** Whether a broker does what needs root for a controller that is not. */
  readonly hasBroker: boolean;
  readonly capabilities: readonly Capability[];
  /** Programs and files that the configuration needs and that are missing. */
  readonly missing: readonly Need[];
  readonly interfaces: readonly InterfaceFact[];
  /** Ports that other programs hold; those of a controller that answers at the configured socket left out. */
  readonly ports: readonly HeldPort[];
  readonly bootTree: {
    /** "broken" where the file is not a manifest. */
    readonly manifest?: BootTreeManifest | "broken";
    /** Sizes of those files that it names, and of those that boards need, by path. */
    readonly sizes: ReadonlyMap<string, number>;
  };
  readonly kernel: KernelFact;
  /** Absent where nodes boot without one. */
  readonly initrd?: InitrdFact;
  /** What a Raspberry Pi 5 boots with instead; absent where it is the same. */
  readonly pi5?: { readonly kernel: KernelFact; readonly initrd: InitrdFact };
  /** Absent where this machine exports none. */
  readonly rootfs?: RootfsFact;
  /** What keeps hooks from doing their work. */
  readonly hooks: readonly HookProblem[];
  /** This machine's clock, in milliseconds since the epoch, and what there is to judge it by. */
  readonly clock: ClockEvidence & { readonly file: string };
  /** The contract that this controller implements. */
  readonly contract: string;
  /** Free space for images, in bytes; absent where it could not be found out. */
  readonly freeBytes?: number;
}
