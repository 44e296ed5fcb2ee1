import type { BootFiles } from "../boot/boot-files.ts";
import type { ImageStore } from "../images/image-store.ts";
import { createPacer } from "../uplink/pacer.ts";
import type { TrafficMeter } from "../uplink/traffic-meter.ts";
import { httpListener, listen, tftpListener } from "./listeners.ts";
import type { Attempts } from "./patience.ts";
import type { Stage } from "./stage.ts";

/** Opens HTTP: boot files and images, within the operator's limits. */
export function openHttp(
  { config, adapters, endpoints, patience, running }: Stage,
  parts: { readonly files: BootFiles; readonly images: ImageStore; readonly meter: TrafficMeter },
): Attempts<void> {
  const { limits } = config;
  const { log, monotonicClock: clock } = adapters;
  const isCapped = limits.totalBytesPerSecond !== undefined || limits.perNodeBytesPerSecond !== undefined;
  const pacing = isCapped ? { pacer: createPacer({ caps: limits, clock }) } : {};
  return patience.until("HTTP", async () => {
    const http = await listen(httpListener(config), (address, port) =>
      adapters.listenHttp({ address, port, ...parts, ...pacing, log }),
    );
    running.defer(() => http.close());
    endpoints.bound("http", http.port);
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
