import type { DiskProtection } from "../../../proto/disk/protected-disk.ts";
import type { ImageDigest } from "../../../proto/pack/digest.ts";
import type { AgentConnector } from "../../agents/agent-port.ts";
import type { EventLog } from "../../events/event-log.ts";
import type { ControllerIdentity } from "../../identity/open-identity.ts";
import type { CaptureRequest, CaptureSums } from "../../images/capture/capture-disk.ts";
import type { Image } from "../../images/catalogue/image.ts";
import type { ImageDeriver } from "../../images/derive/image-deriver.ts";
import type { NodeLogs } from "../../logs/node-logs.ts";
import type { KeptAcceptRules } from "../../nodes/kept-accept-rules.ts";
import type { NodeRegistry } from "../../nodes/node-registry.ts";
import type { ProfileFolder } from "../../profiles/profile-folder.ts";
import type { Rollouts } from "../../reimage/rollouts.ts";
import type { RootKeeper } from "../../roots/root-keeper.ts";
import type { Capacity } from "../../uplink/capacity.ts";

/** The progress of an import. */
export interface ImportProgress {
  /** What it is doing, for a person. */
  readonly step: string;
  /** Bytes of the file taken in. */
  readonly receivedBytes: number;
  /** Bytes of it in all, where the work knows it better than its caller; absent or 0 where it does not. */
  readonly totalBytes?: number;
}

/** The images, as the doors need them; controller/images/image-store.ts implements it. */
export interface ImageCatalogue {
  list(): Promise<readonly Image[]>;
  get(name: string): Promise<Image | undefined>;
  getByDigest(digest: ImageDigest): Promise<Image | undefined>;
  add(request: {
    readonly name: string;
    readonly source: AsyncIterable<Uint8Array>;
    readonly fileBytes?: number;
    /** Content of the block map that belongs to the image. */
    readonly blockMap?: Uint8Array;
    /** The digest that the uncompressed image must have. */
    readonly expectedDigest?: ImageDigest;
    /** Takes back the memory of pieces that nobody needs any more. */
    readonly release?: (piece: Uint8Array) => void;
    readonly signal: AbortSignal;
    readonly onProgress: (progress: ImportProgress) => void;
  }): Promise<Image>;
  remove(name: string): Promise<void>;
}

/** Traffic to the nodes. */
export interface UplinkStatus {
  /** Sent to nodes over HTTP now. */
  readonly bytesPerSecond: number;
  readonly capacity: Capacity;
  /** Nodes that write or are about to. */
  readonly writing: number;
  /** Nodes that are ready and wait for their turn to write. */
  readonly waiting: number;
  readonly mostWriters: number | undefined;
}

/** Where nodes reach this controller, and what it is. */
export interface ControllerStatus {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** "host:port". */
  readonly grpcAddress: string;
  /** Whether there is no TLS anywhere, and nobody has to prove who he is. */
  readonly insecure: boolean;
  readonly httpUrl: string;
  /** Empty with `insecure`. */
  readonly httpsUrl: string;
  /** "host:port". */
  readonly tftpAddress: string;
  /** What keeps nodes from booting now, and what waits to be opened, a sentence each. */
  readonly waitingFor: readonly string[];
  readonly uplink: UplinkStatus;
}

/** The backups, as the doors need them; controller/backup/backups.ts implements it. */
export interface BackupTaking {
  take(
    request: { readonly withImages: boolean; readonly regular: boolean },
    signal: AbortSignal,
  ): Promise<{
    readonly id: string;
    readonly about: {
      /** ISO 8601. */
      readonly takenAt: string;
      readonly nodes: number;
      readonly images: readonly { readonly name: string; readonly isIn: boolean }[];
      readonly leftOut: readonly string[];
    };
    readonly bytes: AsyncIterable<Uint8Array>;
    close(): Promise<void>;
  }>;
  report(
    id: string,
    outcome:
      | { readonly kind: "kept"; readonly path: string; readonly sizeBytes: number }
      | { readonly kind: "failed"; readonly why: string },
  ): void;
}

/** The core that the doors of ControllerService open to. */
export interface ControllerParts {
  readonly nodes: NodeRegistry;
  readonly acceptRules: Pick<KeptAcceptRules, "now" | "change">;
  readonly images: ImageCatalogue;
  readonly deriver: ImageDeriver;
  /** Makes an image of a node's disk. */
  readonly captureDisk: (request: CaptureRequest) => Promise<{ readonly image: Image; readonly sums: CaptureSums }>;
  readonly roots: Pick<RootKeeper, "list" | "remove">;
  readonly rollouts: Omit<Rollouts, "resume" | "close" | "writers">;
  readonly events: EventLog;
  readonly nodeLogs: NodeLogs;
  readonly identity: ControllerIdentity;
  readonly backups: BackupTaking;
  readonly profiles: ProfileFolder;
  readonly agents: AgentConnector;
  /** The disks that are never written. */
  readonly protectedDisks: DiskProtection;
  readonly status: () => ControllerStatus;
}
