import type { InstalledKernels } from "../system/judge-kernels.ts";
import type { RootIds } from "./root-ids.ts";

/** The filesystem that the node runs from; see pallet.v1.RootDevice. */
export interface RootDevice {
  /** Mount source: "/dev/mmcblk0p2", "10.77.0.1:/srv/rootfs", "overlay". */
  readonly source: string;
  readonly filesystemType: string;
  /** Path of the whole disk that holds it; empty when it is on none (NFS, RAM). */
  readonly disk: string;
  /**
   * Its ids as they are on the disk now; absent when it is not a plain partition, and from agents that do not report
   * them.
   */
  readonly ids?: RootIds;
  /** The value of "nfsroot=" on the kernel command line, empty without one; absent from agents that do not report it. */
  readonly nfsRoot?: string;
}

/** What the node is and how it is doing. The words are those of pallet.v1.NodeFacts. */
export interface NodeFacts {
  readonly model: string;
  readonly serial: string;
  readonly interfaces: readonly {
    readonly name: string;
    /** That of the hardware; of an interface without hardware, the one that it has now. */
    readonly mac: string;
    /** The one that it has now, when that is another; absent also from older agents. */
    readonly currentMac?: string;
    readonly addresses: readonly string[];
  }[];
  readonly memoryBytes: number;
  readonly cpuCount: number;
  readonly cpuModel: string;
  readonly temperatureCelsius?: number;
  readonly kernel: string;
  readonly architecture: string;
  readonly bootId: string;
  readonly root: RootDevice;
  readonly hostname: string;
  readonly uptimeSeconds: number;
  /** Absent from a netbooted agent, from an older one, and while they cannot be read. */
  readonly kernels?: InstalledKernels;
}
