import type { AgentInfo } from "../proto/node/agent-info.ts";
import type { NodeFacts } from "../proto/node/node-facts.ts";
// The agent: the one place where its real parts are constructed.
import "./young-generation.ts";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import process from "node:process";
import { isSea } from "node:sea";
import { ChannelCredentials, ServerCredentials } from "@grpc/grpc-js";
import { Command } from "commander";
import { type Logger, pino } from "pino";
import { Failure } from "../proto/failure.ts";
import { contract } from "../proto/gen/contract.ts";
import { createLogDestination } from "../proto/linux/log-destination.ts";
import { onStopSignal, type StopSignal } from "../proto/linux/stop-signals.ts";
import { stampPath } from "../proto/system/installed-system.ts";
import type { BackoffPolicy } from "../proto/time/backoff.ts";
import { monotonicClock, systemClock } from "../proto/time/clock.ts";
import { prepareReboot } from "./board/reboot.ts";
import { reportBoard } from "./board/report-board.ts";
import { admitDevice } from "./disk/admit-device.ts";
import { createGatekeeper, openGate } from "./door/gatekeeper.ts";
import { createExecutors } from "./executors/create-executors.ts";
import { defaultFetchSettings } from "./fetch/fetch-range.ts";
import { readBlockDevices } from "./inventory/read-block-devices.ts";
import { readBootId, readNodeFacts } from "./inventory/read-node-facts.ts";
import { createLogBuffer, type LogLimits } from "./log/log-buffer.ts";
import type { LogReceiver } from "./log/log-report.ts";
import { parseLogLine } from "./log/parse-log-line.ts";
import { createLogShipper, type LogShipper, type ShippingSettings } from "./log/ship-logs.ts";
import { createOperations } from "./operations/operations.ts";
import { type AgentFlags, type AgentOptions, resolveOptions } from "./options/options.ts";
import type { Enrollment } from "./registration/enrollment.ts";
import { localAddressTowards } from "./registration/local-address.ts";
import { readInstalled } from "./registration/read-installed.ts";
import { readResidentProgram } from "./registration/read-resident-program.ts";
import { selectBootMac } from "./registration/select-boot-mac.ts";
import { stayRegistered } from "./registration/stay-registered.ts";
import { createKernelReader } from "./resident/read-kernels.ts";
import { readReturnedFirmware } from "./resident/read-returned-firmware.ts";
import { watchFirmware } from "./resident/watch-firmware.ts";
import { type WatchedKernels, watchKernels } from "./resident/watch-kernels.ts";
import { createAgentService } from "./rpc/agent-service.ts";
import { createEnrollmentClient } from "./rpc/enrollment-client.ts";
import { serveAgent } from "./rpc/server.ts";
import { version } from "./version.ts";
import { tick } from "./watchdog/tick.ts";

/** Grace period of running calls once the agent is told to stop, in milliseconds. */
const graceMs = 500;
/** How long sending the last words may take before the agent ends or the node reboots. */
const lastWordsMs = 1_000;
/** Where the initrd of a netbooted node guards the hardware watchdog. */
const watchdogFolder = "/run/pallet/watchdog";
/** What is kept of the log while the controller cannot be reached. */
const logLimits: LogLimits = { records: 2_000, bytes: 1024 * 1024 };
/** Retry intervals for the controller and its name. */
const retries: Required<BackoffPolicy> = { firstMs: 250, capMs: 5_000, random: Math.random };
const shipping: ShippingSettings = {
  batch: { records: 250, bytes: 256 * 1024 },
  intervalMs: 1_000,
  gapMs: 200,
  backoff: retries,
};

const program = new Command("pallet-agent")
  .description("Reports this node's hardware to the Pallet controller and writes its disks on command.")
  .version(version)
  .option("--controller <host:port>", "register with this controller (kernel word pallet.controller=)")
  .option("--node <mac>", "MAC address that this node booted from (kernel word pallet.node=)")
  .option("--listen <address>", "IP address to serve on (default: 127.0.0.1, or 0.0.0.0 if netbooted by a controller)")
  .option("--port <port>", "TCP port to serve on; 0 for any", "7710")
  .option(
    "--insecure-tcp",
    "take orders from anyone who can reach the port (kernel word pallet.insecure-tcp); for test benches only",
  )
  .option("--role <role>", "netboot: may write disks; resident: may only report and reboot", "netboot")
  .option("--installed-file <path>", "stamp of the installed system", stampPath)
  .option("--reboot-command <words>", "program and arguments that reboot this node, separated by spaces; no shell")
  .option(
    "--resident-program <path>",
    "program to install into new systems (default: this one, if it is a single file)",
  )
  .option("--kernel-command-line <path>", "file to read kernel words from", "/proc/cmdline")
  .addHelpText(
    "after",
    `
Takes orders from the controller's address and, on this node itself, from root and the agent's own user.

Examples:
  # On a netbooted node, where the kernel command line provides everything else:
  $ pallet-agent
  # Inside an installed system:
  $ pallet-agent --role resident --controller 10.77.0.1:7700 --listen 0.0.0.0
  # Standalone, to explore it with buf curl as root:
  $ pallet-agent --port 7710
  $ buf curl --protocol grpc --http2-prior-knowledge http://127.0.0.1:7710/pallet.v1.AgentService/GetNode`,
  )
  .action(async (flags: AgentFlags & { kernelCommandLine: string }) => {
    await main(resolveOptions(flags, readFileSync(flags.kernelCommandLine, "utf8")));
  });

async function main(options: AgentOptions): Promise<void> {
  // Authentication comes with a later issue; these two lines are where it will be decided.
  const serverCredentials = ServerCredentials.createInsecure();
  const channelCredentials = ChannelCredentials.createInsecure();

  const enrollment = options.controller && createEnrollmentClient(options.controller, channelCredentials);
  const { log, shipper } = openLog(options, enrollment);
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "the agent hit a bug and is exiting");
    lastWords(shipper).finally(() => process.exit(1));
  });

  const residentPath = options.residentProgram ?? (isSea() ? process.execPath : undefined);
  const operations = createOperations({
    executors: createExecutors({
      admitDevice,
      fetchSettings: defaultFetchSettings,
      residentProgram: residentPath,
    }),
    role: options.role,
    clock: systemClock,
    monotonicClock,
    log,
  });

  const instanceId = randomUUID();
  let port = options.port;
  const agentInfo = async (): Promise<AgentInfo> => {
    const installed = options.role === "resident" ? await readInstalled(options.installedFile, log) : undefined;
    const residentProgram = await readResidentProgram(options.role, residentPath, log);
    return {
      ...{ version, role: options.role, instanceId, port },
      ...(installed && { installed }),
      ...(residentProgram && { residentProgram }),
    };
  };

  const kernels =
    options.role === "resident"
      ? watchKernels({ running: release(), read: createKernelReader(), clock: monotonicClock, log })
      : undefined;
  const readFacts = () => readFactsWith(kernels);

  const service = createAgentService({
    readNodeFacts: readFacts,
    reportBoard,
    readBlockDevices,
    agentInfo,
    operations,
    prepareReboot: () => prepareReboot(options.rebootCommand, log, () => lastWords(shipper)),
    log,
  });
  const stopping = new AbortController();
  const gatekeeper = options.insecureTcp
    ? openGate
    : createGatekeeper({ controllerHost: options.controller?.host, backoff: retries, log }, stopping.signal);
  const server = await serveAgent({
    service,
    gatekeeper,
    listen: options.listen,
    port: options.port,
    credentials: serverCredentials,
    ids: { bootId: await readBootId(), instanceId },
  });
  port = server.port;
  log.info({ port, address: options.listen, version, contract, instanceId, pid: process.pid }, "serving");
  if (options.insecureTcp) {
    log.warn(
      `INSECURE: TCP port ${port} takes orders from anyone who can reach it (--insecure-tcp, pallet.insecure-tcp)`,
    );
  }

  const stopTicking =
    options.role === "netboot" ? tick({ folder: watchdogFolder, clock: monotonicClock, log }) : () => undefined;
  const stopWatching =
    options.role === "resident"
      ? watchFirmware({ read: readReturnedFirmware, clock: monotonicClock, log })
      : () => undefined;
  const registration = register(options, { readFacts, agentInfo, enrollment, shipper, log }, stopping.signal);

  const stop = async (signal: StopSignal): Promise<void> => {
    log.info({ signal }, "stopping");
    stopTicking();
    stopWatching();
    kernels?.stop();
    stopping.abort();
    await operations.stop(`the agent was stopped by ${signal}`);
    await Promise.all([registration, server.close(graceMs)]);
    log.info("stopped");
    await lastWords(shipper);
    await shipper?.stop();
    enrollment?.close();
    // Everything is closed; a tool that continues, the one that reboots the node, must not keep this process alive.
    setTimeout(() => process.exit(), graceMs).unref();
  };
  onStopSignal((signal) => {
    stop(signal).catch((error: unknown) => {
      log.fatal({ err: error }, "the agent did not shut down cleanly");
      process.exit(1);
    });
  });
}

/** The node's facts; those of an installed system's kernels are as they were last looked at. */
async function readFactsWith(watched: WatchedKernels | undefined): Promise<NodeFacts> {
  await watched?.ready;
  const kernels = watched?.current();
  return { ...(await readNodeFacts()), ...(kernels && { kernels }) };
}

/** The log: to the console, and to the controller if there is one. */
function openLog(
  { role, bootMac }: AgentOptions,
  receiver: LogReceiver | undefined,
): { readonly log: Logger; readonly shipper: LogShipper | undefined } {
  const base = { role, ...(bootMac && { node: bootMac }) };
  const terminal = createLogDestination(1);
  if (receiver === undefined) return { log: pino({ base }, terminal), shipper: undefined };
  const buffer = createLogBuffer(logLimits);
  const shipper = createLogShipper({
    buffer,
    reportLogs: receiver.reportLogs,
    settings: shipping,
    log: pino({ base }, terminal),
    clock: monotonicClock,
  });
  const known = new Set(Object.keys(base));
  const log = pino(
    { base },
    {
      write(line: string) {
        terminal.write(line);
        const entry = parseLogLine(line, known);
        buffer.append(entry, monotonicClock.now());
        shipper.appended(entry.level);
      },
    },
  );
  return { log, shipper };
}

async function lastWords(shipper: LogShipper | undefined): Promise<void> {
  await shipper?.flush(lastWordsMs);
}

async function register(
  options: AgentOptions,
  parts: {
    readonly readFacts: () => Promise<NodeFacts>;
    readonly agentInfo: () => Promise<AgentInfo>;
    readonly enrollment: Enrollment | undefined;
    readonly shipper: LogShipper | undefined;
    readonly log: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const { controller, bootMac } = options;
  const { enrollment, shipper } = parts;
  if (controller === undefined || enrollment === undefined) {
    parts.log.info("no controller given; serving without registering");
    return;
  }
  const chooseBootMac = async ({ interfaces }: NodeFacts): Promise<string> =>
    bootMac ?? selectBootMac(interfaces, await localAddressTowards(controller.host));
  await stayRegistered(
    {
      enrollment,
      enrolled: (session) => shipper?.enrolled(session),
      readNodeFacts: parts.readFacts,
      chooseBootMac,
      agentInfo: parts.agentInfo,
      backoff: retries,
      log: parts.log,
    },
    signal,
  );
}

// No await at the top: the binary is one CommonJS file, which knows none.
program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`pallet-agent: ${Failure.from(error).message}\n`);
  process.exitCode = 1;
});
