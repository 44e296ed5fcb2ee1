import type { DiskProtection } from "../../proto/disk/protected-disk.ts";
import type { LogLevel } from "../../proto/words/log-level.ts";
import type { AgentBootSettings } from "../boot/choose-agent-boot.ts";
import type { Loader } from "../boot/choose-way.ts";
import type { Hook } from "../hooks/hook.ts";
import type { DhcpConfig, NfsConfig } from "../network/network-config.ts";
import type { ReimageSettings } from "../reimage/machine/settings.ts";
import type { CardFirmwarePolicy } from "../reimage/plan/plan-disk-firmware.ts";
import type { UplinkLimits } from "../uplink/uplink-limits.ts";

/** Everything that can be set about a controller. Paths are absolute, times are in milliseconds. Deeply frozen. */
export interface Config {
  /** Holds the state database. */
  readonly stateDirectory: string;
  /** Holds the images. */
  readonly imageDirectory: string;
  /** Holds the profiles; it need not be there. */
  readonly profileDirectory: string;
  /** Unix socket for the command line on this machine. */
  readonly socket: string;
  /** Group whose members may use the socket too; its owner alone unless given. */
  readonly socketGroup?: string;
  /** IP address to listen on: gRPC, HTTP and TFTP. */
  readonly listen: string;
  /** Host name or IP address under which nodes reach this machine. */
  readonly advertise: string;
  /** HOST or HOST:PORT: where else agents reach gRPC, in the order in which they try; with `grpcPort` unless it says one. */
  readonly advertiseAlso: readonly string[];
  readonly accept: readonly string[];
  /** Ports; 0 lets the system choose a free one. */
  readonly grpcPort: number;
  /** Whether there is no TLS anywhere, and nobody has to prove who he is. */
  readonly insecure: boolean;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly tftpPort: number;
  /** Largest TFTP block in bytes that is granted (RFC 2348). */
  readonly tftpMaxBlockBytes: number;
  /** Folder that TFTP and HTTP serve boot files from. */
  readonly bootTree: string;
  readonly bootProfile: {
    /** Paths relative to the boot tree; `append` is added to the kernel command line, one word each. */
    readonly agent: AgentBootSettings;
    readonly local: { readonly append: readonly string[] };
    /** Whether the boot config also offers the other target to a person at the console. */
    readonly menu: boolean;
    /** How long the menu waits for that person. */
    readonly menuTimeoutMs: number;
    readonly loader: Loader;
    /** What to do with the firmware on a newly written card. */
    readonly cardFirmware: CardFirmwarePolicy;
  };
  readonly disks: {
    /** What is never written, besides disks with the label that always protects. */
    readonly protected: DiskProtection;
  };
  readonly dhcp: DhcpConfig;
  readonly nfs: NfsConfig;
  readonly heartbeatIntervalMs: number;
  readonly reimage: ReimageSettings;
  readonly hooks: readonly Hook[];
  readonly limits: UplinkLimits;
  readonly logLevel: LogLevel;
}
