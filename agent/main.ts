import type { AgentInfo } from "../proto/node/agent-info.ts";
import type { NodeFacts } from "../proto/node/node-facts.ts";
// The agent: the one place where its real parts are constructed.
import "../proto/linux/young-generation.ts";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { isSea } from "node:sea";
import { ChannelCredentials, ServerCredentials } from "@grpc/grpc-js";
import { Command } from "commander";
import { type Logger, pino } from "pino";
import { Failure } from "../proto/failure.ts";
import { contract } from "../proto/gen/contract.ts";
import { execaOutliving } from "../proto/linux/leashed-execa.ts";
import { createLogDestination } from "../proto/linux/log-destination.ts";
import { onStopSignal, type StopSignal } from "../proto/linux/stop-signals.ts";
import { type Endpoint, renderEndpoint } from "../proto/names/endpoint.ts";
import type { NodeId } from "../proto/names/node-id.ts";
import { capabilities } from "../proto/operation/capabilities.ts";
import { identityPaths } from "../proto/system/agent-identity.ts";
import { type AgentRole, agentSocketPath } from "../proto/system/agent-program.ts";
import { stampPath } from "../proto/system/installed-system.ts";
import { runTasksCommand } from "../proto/system/render-tasks-units.ts";
import { residentSettingsPath } from "../proto/system/resident-settings.ts";
import type { BackoffPolicy } from "../proto/time/backoff.ts";
import { foregroundClock, monotonicClock, systemClock } from "../proto/time/clock.ts";
import { prepareReboot } from "./board/reboot.ts";
import { reportBoard } from "./board/report-board.ts";
import { admitDevice } from "./disk/admit-device.ts";
import { type ControllerDoor, createControllerDoor } from "./door/controller-door.ts";
import { listenForMoves } from "./door/listen-for-moves.ts";
import { createExecutors } from "./executors/create-executors.ts";
import { defaultFetchSettings } from "./fetch/fetch-range.ts";
import { chooseCiphers } from "./identity/choose-ciphers.ts";
import { type ClientTls, createIdentityHolder } from "./identity/held-identity.ts";
import { keepIdentity, readIdentity } from "./identity/kept-identity.ts";
import { pinAuthority } from "./identity/pin-authority.ts";
import { placeIdentity } from "./identity/place-identity.ts";
import { rebootWhenRefused } from "./identity/reboot-when-refused.ts";
import { isUnset, setClock } from "./identity/set-clock.ts";
import { type StayingEnrolled, stayEnrolled } from "./identity/stay-enrolled.ts";
import { readBlockDevices } from "./inventory/read-block-devices.ts";
import { readBootId, readNodeFacts } from "./inventory/read-node-facts.ts";
import { readStamps } from "./inventory/read-stamps.ts";
import { createLogBuffer, type LogLimits } from "./log/log-buffer.ts";
import type { LogReceiver } from "./log/log-report.ts";
import { parseLogLine } from "./log/parse-log-line.ts";
import { createLogShipper, type LogShipper, type ShippingSettings } from "./log/ship-logs.ts";
import { createOperations } from "./operations/operations.ts";
import { type AgentFlags, type AgentOptions, resolveOptions } from "./options/options.ts";
import { holdDisk } from "./read/hold-disk.ts";
import { type ControllerList, createControllerList, sameEndpoints } from "./registration/controller-list.ts";
import type { Enrollment } from "./registration/enrollment.ts";
import { keepControllers, readSettings } from "./registration/kept-settings.ts";
import { localAddressTowards } from "./registration/local-address.ts";
import { readInstalled } from "./registration/read-installed.ts";
import { readResidentProgram } from "./registration/read-resident-program.ts";
import { chooseBootMac } from "./registration/select-boot-mac.ts";
import { stayRegistered } from "./registration/stay-registered.ts";
import { createKernelReader } from "./resident/read-kernels.ts";
import { readReturnedFirmware } from "./resident/read-returned-firmware.ts";
import { watchFirmware } from "./resident/watch-firmware.ts";
import { type WatchedKernels, watchKernels } from "./resident/watch-kernels.ts";
import { createAgentService } from "./rpc/agent-service.ts";
import type { ChannelOfAgent } from "./rpc/channel.ts";
import { createEnroller } from "./rpc/enroll.ts";
import { createEnrollmentClient } from "./rpc/enrollment-client.ts";
import { type NetworkDoor, serveAgent } from "./rpc/server.ts";
import { runTasks } from "./tasks/run-tasks.ts";
import { chooseRunFolder } from "./tasks/task-folder.ts";
import { taskPathsIn } from "./tasks/task-paths.ts";
import { waitForNetwork } from "./tasks/wait-for-network.ts";
import { type WatchedTasks, watchTasks } from "./tasks/watch-tasks.ts";
import { version } from "./version.ts";
import { tick } from "./watchdog/tick.ts";
import { openDevice } from "./write/open-device.ts";

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
/**
 * Waits after the controller has refused a certificate: nothing changes by asking soon. A netbooted node reboots within
 * minutes; a resident one may ask for days.
 */
const refusedRetries = {
  netboot: { firstMs: 15_000, capMs: 60_000, random: Math.random },
  resident: { firstMs: 15_000, capMs: 600_000, random: Math.random },
} as const satisfies Record<AgentRole, BackoffPolicy>;
const shipping: ShippingSettings = {
  batch: { records: 250, bytes: 256 * 1024 },
  intervalMs: 1_000,
  gapMs: 200,
  backoff: retries,
};

const program = new Command("pallet-agent")
  .description("Reports this node's hardware to the Pallet controller and writes its disks on command.")
  .version(version)
  // An option of "run-tasks" is that command's.
  .enablePositionalOptions()
  .option(
    "--controller <host:port>",
    "register with this controller; several addresses of it, separated by commas, are tried in turn (kernel word " +
      "pallet.controller=)",
  )
  .option("--node <mac>", "MAC address that this node booted from (kernel word pallet.node=)")
  .option(
    "--listen <address>",
    "IP address to serve on (default: 127.0.0.1, or 0.0.0.0 if a controller booted or installed this system)",
  )
  .option("--port <port>", "TCP port to serve on; 0 for any", "7710")
  .option("--socket <path>", "unix socket for root on this node", agentSocketPath)
  .option(
    "--ca-fingerprint <fingerprint>",
    "SHA-256, in base64url, of the certificate of the controller's certificate authority (kernel word pallet.ca=)",
  )
  .option("--token <token>", "one-time token to get a certificate with (kernel word pallet.token=)")
  .option(
    "--identity-file <path>",
    `key, certificate and authorities (default: ${identityPaths.netboot}, or ${identityPaths.resident} if resident)`,
  )
  .option(
    "--insecure",
    "no certificates at all: take orders from anyone who can reach the port, and believe any controller (kernel word " +
      "pallet.insecure); for test benches only",
  )
  .option("--role <role>", "netboot: may write disks; resident: may only report and reboot", "netboot")
  .option("--installed-file <path>", "stamp of the installed system", stampPath)
  .option(
    "--settings-file <path>",
    "controllers and node id of the installed system, for a resident agent whose kernel words do not say them",
    residentSettingsPath,
  )
  .option("--tasks-root <path>", "root of the system whose first-boot tasks a resident agent reports (default: /)")
  .option("--reboot-command <words>", "program and arguments that reboot this node, separated by spaces; no shell")
  .option(
    "--resident-program <path>",
    "program to install into new systems (default: this one, if it is a single file)",
  )
  .option("--kernel-command-line <path>", "file to read kernel words from", "/proc/cmdline")
  .addHelpText(
    "after",
    `
Takes orders from the controller, which proves by its certificate who it is, and on this node itself from root, over the
unix socket. Without a controller it serves on that socket only. A controller that came back under another address says so
over UDP, to the same port number: it is looked for there when it names this boot and this run of the agent.

Examples:
  # On a netbooted node, where the kernel command line provides everything else:
  $ pallet-agent
  # Inside an installed system, where /etc/pallet has its identity and its settings:
  $ pallet-agent --role resident
  # Standalone, to explore it with buf curl as root:
  $ pallet-agent --socket /run/pallet/agent.sock
  $ buf curl --protocol grpc --http2-prior-knowledge --unix-socket /run/pallet/agent.sock \\
      http://localhost/pallet.v1.AgentService/GetNode`,
  )
  .action(async (flags: AgentFlags & { kernelCommandLine: string }) => {
    const kept = flags.role === "resident" ? await readSettings(flags.settingsFile ?? residentSettingsPath) : {};
    await main(resolveOptions(flags, readFileSync(flags.kernelCommandLine, "utf8"), kept.settings), kept.trouble);
  });

program
  .command(runTasksCommand)
  .description(
    "Runs what is left of the first-boot tasks of this system, in their order, and ends. The unit pallet-tasks.service, or " +
      "the resident agent, starts it at every boot; a task that has succeeded is not run again.",
  )
  .option("--tasks-root <path>", "root of the system with the tasks", "/")
  .action(async ({ tasksRoot }: { tasksRoot: string }) => {
    const stopped = new AbortController();
    onStopSignal(() => stopped.abort());
    const paths = taskPathsIn(tasksRoot);
    await runTasks(
      {
        ...paths,
        runFolder: await chooseRunFolder([join(tasksRoot, "run"), join(tasksRoot, "dev/shm")], paths.stateFolder),
        passwdFile: "/etc/passwd",
        waitForNetwork: (signal) => waitForNetwork(foregroundClock, signal),
        print: (line) => process.stdout.write(`${line}\n`),
        now: () => systemClock.now(),
      },
      stopped.signal,
    );
  });

/** @param trouble why the settings of the installed system could not be read */
async function main(options: AgentOptions, trouble: Error | undefined): Promise<void> {
  // From the first on: whoever sees it serve may tell it to stop, before the rest of it has started.
  const told = Promise.withResolvers<StopSignal>();
  onStopSignal(told.resolve);
  const controllers = createControllerList(options.controllers);
  const isSecure = controllers.current() !== undefined && !options.insecure;
  const ciphers = chooseCiphers(await readFile("/proc/cpuinfo", "utf8").catch(() => ""));
  let door: ControllerDoor | undefined;
  let channel: ChannelOfAgent | undefined = isSecure
    ? undefined
    : { credentials: ChannelCredentials.createInsecure(), servername: undefined };
  const holder = createIdentityHolder(ciphers, ({ server, client, authorities }) => {
    door?.show({ server, authorities });
    channel = { credentials: credentialsOf(client), servername: client.servername };
  });
  const enroller = createEnroller(controllers, credentialsOf);
  let staying: StayingEnrolled | undefined;
  let answered: ((answer: "accepted" | "refused") => void) | undefined;
  const heard = (answer: "accepted" | "refused"): void => answered?.(answer);
  const enrollment =
    controllers.current() === undefined
      ? undefined
      : createEnrollmentClient({
          controllers,
          channel: () => channel,
          learn: async (told) => staying?.learn(told),
          heard(answer) {
            heard(answer);
            if (answer === "refused") staying?.renew();
          },
        });
  const { log, shipper } = openLog(options, enrollment);
  if (trouble !== undefined) log.warn({ err: trouble }, "ignoring the settings of the installed system");
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "the agent hit a bug and is exiting");
    lastWords(shipper).finally(() => process.exit(1));
  });

  /** Where a controller that has moved says that it lives: what is being fetched from it goes on there. */
  let movedTo: string | undefined;
  const residentPath = options.residentProgram ?? (isSea() ? process.execPath : undefined);
  const operations = createOperations({
    executors: createExecutors({
      admitDevice,
      fetchSettings: {
        ...defaultFetchSettings,
        takesPlain: options.insecure,
        tls: () => holder.current()?.client,
        movedTo: () => movedTo,
      },
      residentProgram: residentPath,
      residentIdentity: isSecure
        ? (signal) => placeIdentity({ holder, enrol: enroller.enrolResident, clock: monotonicClock, log }, signal)
        : undefined,
    }),
    role: options.role,
    clock: systemClock,
    monotonicClock,
    log,
  });

  const instanceId = randomUUID();
  let port = 0;
  // Once: a disk changes by this agent's own operations only, and after those it is not told any more.
  const stamps =
    options.role === "netboot" && options.controllers.length > 0 ? readStamps(readBlockDevices, log) : undefined;
  const agentInfo = async (): Promise<AgentInfo> => {
    const found = (operations.list().length === 0 && (await stamps)) || [];
    const installed = options.role === "resident" ? await readInstalled(options.installedFile, log) : undefined;
    const residentProgram = await readResidentProgram(options.role, residentPath, log);
    await tasks?.ready;
    const reported = tasks?.current();
    return {
      ...{ version, role: options.role, instanceId, port, contract, capabilities },
      ...(options.role === "resident" && !options.bootedByController && { bootedAlone: true as const }),
      ...(installed && { installed }),
      ...(residentProgram && { residentProgram }),
      ...(found.length > 0 && { found }),
      ...(reported && { tasks: reported }),
    };
  };

  const kernels =
    options.role === "resident"
      ? watchKernels({ running: release(), read: createKernelReader(), clock: monotonicClock, log })
      : undefined;
  const tasks =
    options.role === "resident"
      ? watchTasks({
          paths: taskPathsIn(options.tasksRoot),
          // Where systemd runs (sd_booted(3)), it has a unit for them.
          run: existsSync("/run/systemd/system") ? undefined : () => runTasksApart(options.tasksRoot),
          clock: monotonicClock,
          log,
        })
      : undefined;
  const readFacts = () => readFactsWith(kernels, options.bootMac);

  const service = createAgentService({
    readNodeFacts: readFacts,
    reportBoard,
    readBlockDevices,
    agentInfo,
    operations,
    holdDisk: (disk, signal) => holdDisk(disk, { operations, admitDevice, openDevice, log }, signal),
    prepareReboot: () => prepareReboot(options.rebootCommand, log, () => lastWords(shipper)),
    retryTasks: tasks?.retry,
    log,
  });
  const stopping = new AbortController();
  // Without it no call that means a certain boot is taken; what tells of the node says why.
  const bootId = await readBootId().catch((error: unknown) => {
    log.error({ err: error }, "cannot tell which boot this is");
    return "";
  });
  const ids = { bootId, instanceId };
  const network: NetworkDoor = {
    address: options.listen,
    port: options.port,
    open(admit) {
      if (options.insecure) return admit;
      const opened = createControllerDoor({ admitted: admit, now: () => systemClock.now(), log });
      door = opened;
      return (connection) => opened.knocked(connection);
    },
  };
  const server = await serveAgent({
    service,
    socket: options.socket,
    network: isSecure || options.insecure ? network : undefined,
    // Of connections that were decrypted, or judged by the kernel, before this sees them.
    credentials: ServerCredentials.createInsecure(),
    log,
    ids,
  });
  port = server.port ?? 0;
  log.info(
    {
      ...(server.port !== undefined && { port, address: options.listen }),
      ...{ socket: options.socket, version, contract, instanceId, pid: process.pid },
    },
    "serving",
  );
  if (options.insecure) {
    log.warn(
      `INSECURE: TCP port ${port} takes orders from anyone who can reach it, and any controller is believed ` +
        "(--insecure, pallet.insecure)",
    );
  }

  const bootMacOf = createBootMacChooser(options, controllers, log);
  if (isSecure) {
    const { authority, token, role, identityFile } = options;
    staying = stayEnrolled(
      {
        ...{ role, ciphers, holder, controllers, heard, log },
        words: { authority, token },
        kept: await readIdentity(identityFile, { role, bootId, authority }, log),
        enrol: enroller.enrol,
        pin: pinAuthority,
        async describeNode() {
          const facts = await readNodeFacts();
          return { bootMac: await bootMacOf(facts), serial: facts.serial, bootId: facts.bootId };
        },
        keep: (identity) => keepIdentity(identityFile, identity, log),
        tellTime: (nowMs) => tellTime(options, nowMs, log),
        backoff: retries,
        refusedBackoff: refusedRetries[role],
        now: () => systemClock.now(),
        clock: monotonicClock,
      },
      stopping.signal,
    );
  }
  // Only where the controller booted this node does a boot bring another token; an agent that somebody started by hand
  // is not to reboot the machine that it was started on.
  if (isSecure && options.role === "netboot" && options.bootedByController) {
    answered = rebootWhenRefused(
      {
        operations,
        reboot: async () => (await prepareReboot(options.rebootCommand, log, () => lastWords(shipper)))(),
        spread: Math.random(),
        clock: monotonicClock,
        log,
      },
      stopping.signal,
    );
  }

  if (enrollment !== undefined)
    listenForMoves(
      {
        ...{ address: options.listen, port, ids, log },
        moved(told) {
          movedTo = told[0]?.host;
          followController(controllers, told, log);
        },
      },
      stopping.signal,
    );

  const stopTicking =
    options.role === "netboot" ? tick({ folder: watchdogFolder, clock: monotonicClock, log }) : () => undefined;
  const stopWatching =
    options.role === "resident"
      ? watchFirmware({ read: readReturnedFirmware, clock: monotonicClock, log })
      : () => undefined;
  const registration = register(
    options,
    {
      ...{ readFacts, bootMacOf, agentInfo, controllers, enrollment, enrolled: staying?.enrolled, shipper, log },
      tasks,
    },
    stopping.signal,
  );

  const stop = async (signal: StopSignal): Promise<void> => {
    log.info({ signal }, "stopping");
    stopTicking();
    stopWatching();
    kernels?.stop();
    tasks?.stop();
    stopping.abort();
    await operations.stop(`the agent was stopped by ${signal}`);
    await Promise.all([registration, staying?.ended, server.close(graceMs)]);
    door?.close();
    log.info("stopped");
    await lastWords(shipper);
    await shipper?.stop();
    enrollment?.close();
    // Everything is closed; a tool that continues, the one that reboots the node, must not keep this process alive.
    setTimeout(() => process.exit(), graceMs).unref();
  };
  told.promise.then(stop).catch((error: unknown) => {
    log.fatal({ err: error }, "the agent did not shut down cleanly");
    process.exit(1);
  });
}

/** Tries the controller where it says that it lives now, before where it was. */
function followController(controllers: ControllerList, told: readonly Endpoint[], log: Logger): void {
  const before = controllers.all();
  controllers.learn(told);
  if (sameEndpoints(before, controllers.all())) return;
  log.warn({ before, now: controllers.all() }, "the controller says that it has another address now");
}

/** The node's facts; those of an installed system's kernels are as they were last looked at. */
async function readFactsWith(watched: WatchedKernels | undefined, bootMac: NodeId | undefined): Promise<NodeFacts> {
  await watched?.ready;
  const kernels = watched?.current();
  return { ...(await readNodeFacts(bootMac)), ...(kernels && { kernels }) };
}

/** Runs the tasks of the system in a process that ends in its own order, whatever becomes of this one. */
async function runTasksApart(root: string): Promise<void> {
  const [, main = ""] = process.argv;
  const args = [...(isSea() ? [] : [main]), runTasksCommand, "--tasks-root", root];
  await execaOutliving(process.execPath, args, { stdin: "ignore", stdout: "inherit", stderr: "inherit" });
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
    readonly bootMacOf: (facts: NodeFacts) => Promise<string>;
    readonly agentInfo: () => Promise<AgentInfo>;
    readonly tasks: WatchedTasks | undefined;
    readonly controllers: ControllerList;
    readonly enrollment: Enrollment | undefined;
    /** Resolves when there is a certificate; undefined where none is needed. */
    readonly enrolled: Promise<void> | undefined;
    readonly shipper: LogShipper | undefined;
    readonly log: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const { controllers, enrollment, shipper, log } = parts;
  if (enrollment === undefined) {
    log.info("no controller given; serving without registering");
    return;
  }
  if (options.role === "resident" && !options.bootedByController)
    log.warn(
      { controllers: controllers.all().map(renderEndpoint) },
      "this system was booted without a controller's kernel words",
    );
  await parts.enrolled;
  const keep = async (): Promise<void> => {
    if (options.role === "resident") await keepControllers(options.settingsFile, controllers.all(), log);
  };
  await stayRegistered(
    {
      enrollment,
      controllers,
      told: keep,
      enrolled: (session) => shipper?.enrolled(session),
      readNodeFacts: parts.readFacts,
      chooseBootMac: parts.bootMacOf,
      agentInfo: parts.agentInfo,
      ...(parts.tasks && { tasks: parts.tasks }),
      backoff: retries,
      log,
    },
    signal,
  );
}

/** By which MAC address the node is known; says once where that is not the one that its system was installed under. */
function createBootMacChooser(
  options: AgentOptions,
  controllers: ControllerList,
  log: Logger,
): (facts: NodeFacts) => Promise<string> {
  let toldOfOtherBoard = false;
  return async ({ interfaces }) => {
    const towards = controllers.current();
    const chosen = await chooseBootMac(options, interfaces, async () => towards && localAddressTowards(towards.host));
    if (chosen.otherBoard !== undefined && !toldOfOtherBoard) {
      toldOfOtherBoard = true;
      log.warn(
        { installedOn: chosen.otherBoard, bootMac: chosen.mac },
        "this system was installed on another board, whose MAC address this one does not have; registering as this board",
      );
    }
    return chosen.mac;
  };
}

function credentialsOf({ secureContext, checkServerIdentity }: ClientTls): ChannelCredentials {
  return ChannelCredentials.createFromSecureContext(secureContext, { checkServerIdentity });
}

/** A node without a clock of its own gets the controller's time; any other clock is its operator's business. */
function tellTime({ role, bootedByController }: AgentOptions, nowMs: number, log: Logger): void {
  if (role !== "netboot" || !bootedByController || !isUnset(systemClock.now()) || isUnset(nowMs)) return;
  try {
    setClock(nowMs);
    log.info("the clock was not set; it has the controller's time now");
  } catch (error) {
    log.warn({ err: error }, "the clock is not set, and cannot be");
  }
}

// No await at the top: the binary is one CommonJS file, which knows none.
program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`pallet-agent: ${Failure.from(error).message}\n`);
  process.exitCode = 1;
});
