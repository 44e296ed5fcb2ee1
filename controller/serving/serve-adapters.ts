import type { Logger } from "pino";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { BootMoment } from "../../proto/time/boot-moment.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { AgentConnector } from "../agents/agent-port.ts";
import type { NodeProbe } from "../agents/probe-node.ts";
import type { HttpServer, HttpServerOptions } from "../boot/http-server.ts";
import type { TftpServer, TftpServerOptions } from "../boot/tftp/tftp-server.ts";
import type { Problem } from "../check/problem.ts";
import type { Timekeeper } from "../clock/timekeeper.ts";
import type { Config } from "../config/config.ts";
import type { RunHook } from "../hooks/hook.ts";
import type { ImageDeriver } from "../images/derive/image-deriver.ts";
import type { ImageStore } from "../images/image-store.ts";
import type { MachineRole } from "../network/dnsmasq/choose-offers.ts";
import type { Dnsmasq, DnsmasqOptions } from "../network/dnsmasq/dnsmasq.ts";
import type { InterfaceAddress } from "../network/interface-address.ts";
import type { NfsServiceOptions } from "../network/nfs/nfs-service.ts";
import type { NfsProbe } from "../network/nfs/probe-nfs.ts";
import type { ProfileFolder, PromisedTo } from "../profiles/profile-folder.ts";
import type { RemoveRoots } from "../roots/root-keeper.ts";
import type { AgentTls } from "../rpc/agent/agent-tls.ts";
import type { Announcer } from "../rpc/agent/announcer.ts";
import type { GrpcServer, GrpcServerOptions } from "../rpc/grpc-server.ts";
import type { Store } from "../store/open-store.ts";

/** The real parts that main.ts constructs. */
export interface ServeAdapters {
  readonly version: string;
  /** The config file, which need not be there: it goes into backups. */
  readonly configFile: string;
  /** The time of day, which `keepTime` keeps from going back. */
  readonly clock: Clock;
  /** A monotonic one. */
  readonly monotonicClock: Clock;
  /** This moment by the clock of the machine's boot, which nobody sets. */
  moment(): BootMoment;
  readonly log: Logger;
  agentConnector(options: {
    readonly sourceAddress: (agentAddress: string) => string | undefined;
    /** Absent: connections are plain. */
    readonly tls: AgentTls | undefined;
  }): AgentConnector;
  /** How agents are told where the controller lives now. */
  announcer(): Announcer;
  readonly probeNode: NodeProbe;
  /** Runs programs, and calls webhooks. */
  readonly runHook: RunHook;
  openStore(path: string): Store;
  /** Judges this machine's clock, now and from now on, by what the state in a folder has seen. */
  keepTime(options: {
    readonly directory: string;
    /** When the newest event was, in milliseconds since the epoch. */
    readonly newestEventAt: () => number | undefined;
  }): Promise<Timekeeper>;
  openImages(options: { readonly directory: string; readonly log: Logger }): Promise<ImageStore>;
  /** The profiles of a folder; the key is that of their digests. */
  openProfiles(directory: string, key: Uint8Array, promisedTo: PromisedTo): ProfileFolder;
  imageDeriver(options: { readonly images: ImageStore; readonly directory: string }): ImageDeriver;
  /** The IPv4 addresses of this machine. */
  interfaceAddresses(): readonly InterfaceAddress[];
  /** Everything that would keep a node from booting now. */
  findProblems(config: Config): Promise<readonly Problem[]>;
  /** This machine's role in the network. */
  machineRole(): Promise<MachineRole>;
  /** Speed of a network interface in bytes per second; undefined if it reports none. */
  linkSpeed(interfaceName: string): number | undefined;
  /** The MAC address of a machine on the local network that has just sent something. */
  macAddressOf(address: string): Promise<NodeId | undefined>;
  readonly removeRoots: RemoveRoots;
  startDnsmasq(options: DnsmasqOptions): Promise<Dnsmasq>;
  readonly nfsServers: NfsServiceOptions["servers"];
  probeNfs(probe: NfsProbe): Promise<void>;
  listenTftp(options: TftpServerOptions): Promise<TftpServer>;
  listenHttp(options: HttpServerOptions): Promise<HttpServer>;
  listenGrpc(options: Omit<GrpcServerOptions, "credentials">): Promise<GrpcServer>;
}
