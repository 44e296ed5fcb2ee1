import type { Logger } from "pino";
import { foregroundClock } from "../../proto/time/clock.ts";
import { settlesWithin } from "../../proto/time/settles-within.ts";
import { assertBootProfile } from "../boot/plan-boot.ts";
import { watchProblems } from "../check/watch-problems.ts";
import type { Config } from "../config/config.ts";
import { chooseSourceAddress } from "../network/choose-source-address.ts";
import { createAgentTls } from "../rpc/agent/agent-tls.ts";
import type { ControllerStatus } from "../rpc/doors/parts.ts";
import { createTrafficMeter } from "../uplink/traffic-meter.ts";
import { composeBootFiles } from "./compose-boot-files.ts";
import { createEndpoints } from "./endpoints.ts";
import { openBackups } from "./open-backups.ts";
import { openDoors, openTcpDoors } from "./open-doors.ts";
import { composeTraffic, openHttp, openHttps, openTftp } from "./open-file-servers.ts";
import { openNetworkServices } from "./open-network-services.ts";
import { composeUplink, openRollouts, openSearch } from "./open-rollouts.ts";
import { openRoots } from "./open-roots.ts";
import { openState } from "./open-state.ts";
import { createPatience } from "./patience.ts";
import { readBootProfile } from "./read-boot-profile.ts";
import type { ServeAdapters } from "./serve-adapters.ts";
import type { Stage } from "./stage.ts";

/** How long a shutdown may take before the process ends anyway, in milliseconds. */
const shutdownMs = 10_000;

/**
 * Runs a controller until the signal aborts, and resolves once everything is closed. Logs {msg: "serving"} with the
 * addresses as soon as everything is up. Throws a Failure when something is unavailable.
 */
export async function serve(config: Config, adapters: ServeAdapters, signal: AbortSignal): Promise<void> {
  const { log } = adapters;
  const running = new AsyncDisposableStack();
  const failed = new AbortController();
  const started = start(config, adapters, running, AbortSignal.any([signal, failed.signal]));
  try {
    await Promise.race([started.then((addresses) => log.info(addresses, "serving")), aborted(signal)]);
    await aborted(signal);
    log.info("shutting down");
  } finally {
    failed.abort();
    // Anything that was about to open when the signal came is closed with the rest.
    const settled = started.then(
      () => undefined,
      () => undefined,
    );
    const closed = settled.then(() => running.disposeAsync());
    await within(shutdownMs, closed, log);
  }
}

/**
 * Starts everything in stages, in the order of dependence; `running` stops it in reverse order. The unix socket answers
 * from the fourth stage on; what comes after waits for what is not there yet.
 */
async function start(
  config: Config,
  adapters: ServeAdapters,
  running: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Record<"grpc" | "http" | "https" | "tftp" | "socket" | "dhcp" | "nfs", string>> {
  const { clock, log } = adapters;

  // 1. Refuse what cannot be served, before anything is made.
  // The clock is judged once the state is open, which knows more of the time.
  const find = async () => (await adapters.findProblems(config)).filter(({ part }) => part !== "clock");
  const problems = await watchProblems({ find, clock, log, signal });
  const endpoints = createEndpoints(config);
  const patience = createPatience({ clock, log, signal });
  const stage: Stage = { config, adapters, endpoints, patience, running };
  assertBootProfile(await readBootProfile(stage), endpoints.planned());

  // 2. Open the state, and what nodes boot from.
  const state = await openState(stage);
  const startedAt = clock.now();
  const roots = openRoots(stage, state);
  const files = composeBootFiles(stage, state, roots);
  const meter = createTrafficMeter({ clock: adapters.monotonicClock });
  const traffic = composeTraffic(stage, meter);
  const { images, identity } = state;
  const backups = openBackups(stage, state);
  const http = openHttp(stage, { files, images, traffic });
  const https = config.insecure ? undefined : openHttps(stage, { images, identity, traffic });
  await Promise.all([http.first, https?.first]);

  // 3. Resume rollouts where the journal left them.
  const tls = config.insecure ? undefined : createAgentTls(identity);
  const agents = adapters.agentConnector({
    tls,
    sourceAddress(agentAddress) {
      const own = adapters.interfaceAddresses().map(({ address }) => address);
      return chooseSourceAddress(config, own, agentAddress);
    },
  });
  const uplink = composeUplink(stage, meter);
  const rollouts = openRollouts(stage, state, { agents, uplink });

  // 4. Answer commands.
  const status = (): ControllerStatus => ({
    version: adapters.version,
    startedAt,
    grpcAddress: endpoints.reached("grpc"),
    insecure: config.insecure,
    httpUrl: `http://${endpoints.reached("http")}`,
    httpsUrl: config.insecure ? "" : `https://${endpoints.reached("https")}`,
    tftpAddress: endpoints.reached("tftp"),
    waitingFor: [state.timekeeper, state.keeper, { waiting: problems.now }, patience, backups].flatMap((each) => [
      ...each.waiting(),
    ]),
    uplink: {
      bytesPerSecond: uplink.bytesPerSecond(),
      capacity: uplink.capacity(),
      ...rollouts.writers(),
      mostWriters: uplink.mostWriters,
    },
  });
  const protectedDisks = config.disks.protected;
  const parts = { ...state, backups, roots: roots.keeper, agents, protectedDisks, rollouts, status };
  const grpc = await openDoors(stage, parts, tls?.noteAuthority);

  // 5. Answer agents, and then boards: a boot config names the ports of gRPC and HTTP.
  const tcp = openTcpDoors(stage, grpc, state);
  await Promise.all([http.opened, https?.opened, tcp.opened]);
  openSearch(stage, state, { agents, rollouts });
  await openTftp(stage, files).opened;
  await openNetworkServices(stage, state);
  return {
    grpc: endpoints.listening("grpc"),
    http: endpoints.listening("http"),
    https: config.insecure ? "none" : endpoints.listening("https"),
    tftp: endpoints.listening("tftp"),
    socket: config.socket,
    dhcp: config.dhcp.mode,
    nfs: config.nfs.mode,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function within(ms: number, work: Promise<void>, log: Logger): Promise<void> {
  if (await settlesWithin(foregroundClock, ms, work)) return work;
  log.error({ afterMs: ms }, "the shutdown is taking too long; aborting the rest");
}
