import type { BootFiles } from "../boot/boot-files.ts";
import type { HttpTls } from "../boot/http-server.ts";
import { whyNoPacks } from "../boot/judge-fetch.ts";
import type { ImageStore } from "../images/image-store.ts";
import { createPacer, type Pacer } from "../uplink/pacer.ts";
import type { TrafficMeter } from "../uplink/traffic-meter.ts";
import { httpListener, httpsListener, listen, tftpListener } from "./listeners.ts";
import type { State } from "./open-state.ts";
import type { Attempts } from "./patience.ts";
import type { Stage } from "./stage.ts";

/** What all that is sent to nodes over HTTP and HTTPS goes by together. */
export interface Traffic {
  readonly meter: TrafficMeter;
  /** Absent where the operator set no limit. */
  readonly pacer?: Pacer;
}

export function composeTraffic({ config, adapters }: Stage, meter: TrafficMeter): Traffic {
  const { limits } = config;
  const isCapped = limits.totalBytesPerSecond !== undefined || limits.perNodeBytesPerSecond !== undefined;
  return { meter, ...(isCapped && { pacer: createPacer({ caps: limits, clock: adapters.monotonicClock }) }) };
}

/** Opens HTTP: boot files, and images too where there is no TLS. */
export function openHttp(
  { config, adapters, endpoints, patience, running }: Stage,
  { files, images, traffic }: { readonly files: BootFiles; readonly images: ImageStore; readonly traffic: Traffic },
): Attempts<void> {
  const { log } = adapters;
  return patience.until("HTTP", async () => {
    const http = await listen(httpListener(config), (address, port) =>
      adapters.listenHttp({ address, port, files, ...(config.insecure && { images }), ...traffic, log }),
    );
    running.defer(() => http.close());
    endpoints.bound("http", http.port);
  });
}

/** Opens HTTPS: images, for nodes and operators that prove who they are. */
export function openHttps(
  { config, adapters, endpoints, patience, running }: Stage,
  { images, identity, traffic }: Pick<State, "images" | "identity"> & { readonly traffic: Traffic },
): Attempts<void> {
  const { log } = adapters;
  const { authority, operators, judge } = identity;
  const tls: HttpTls = {
    leafFor: authority.leafFor,
    onChange: authority.onChange,
    whyRefused: (certificate) =>
      whyNoPacks(
        judge(certificate, "client"),
        (name, fingerprint) => operators.roleOf(name, fingerprint) !== undefined,
      ),
  };
  return patience.until("HTTPS", async () => {
    const https = await listen(httpsListener(config), (address, port) =>
      adapters.listenHttp({ address, port, images, tls, ...traffic, log }),
    );
    running.defer(() => https.close());
    endpoints.bound("https", https.port);
  });
}

/** Opens TFTP: boot files. From then on boards that ask this machine get an answer. */
export function openTftp({ config, adapters, endpoints, patience, running }: Stage, files: BootFiles): Attempts<void> {
  const { log } = adapters;
  return patience.until("TFTP", async () => {
    const tftp = await listen(tftpListener(config), (address, port) =>
      adapters.listenTftp({
        address,
        port,
        files,
        limits: { maxBlockSize: config.tftpMaxBlockBytes },
        onProblem: ({ kind, peer, error }) => {
          // Anyone on the network can send the first two.
          const level = kind === "malformed" || kind === "stray" ? "debug" : "error";
          log[level]({ err: error, kind, peer }, "TFTP has a problem");
        },
      }),
    );
    running.defer(() => tftp.close());
    endpoints.bound("tftp", tftp.port);
  });
}
