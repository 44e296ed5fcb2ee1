// The controller: the one place where its real parts are constructed.
import "../proto/linux/young-generation.ts";
import "./old-generation.ts";
import process from "node:process";
import { createSecureContext } from "node:tls";
import { ChannelCredentials, logVerbosity, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { pino } from "pino";
import { contract } from "../proto/gen/contract.ts";
import { ControllerServiceClient } from "../proto/gen/pallet/v1/controller.ts";
import { bootMomentNow } from "../proto/linux/boot-moment-now.ts";
import { createLogDestination } from "../proto/linux/log-destination.ts";
import { systemPath } from "../proto/linux/system-path.ts";
import { monotonicClock, systemClock } from "../proto/time/clock.ts";
import { probeNode } from "./agents/probe-node.ts";
import { createHttpServer } from "./boot/http-server.ts";
import { createTftpServer } from "./boot/tftp/tftp-server.ts";
import { checkAsService } from "./check/check-as-service.ts";
import { checkServing } from "./check/check-serving.ts";
import { controllerChannelOptions } from "./cli/connection/controller-client.ts";
import type { Effects } from "./cli/connection/effects.ts";
import { createProcessEffects } from "./cli/connection/process-effects.ts";
import { readBundle } from "./cli/connection/read-bundle.ts";
import { runCommandLine } from "./cli/program.ts";
import { openClockFile } from "./clock/clock-file.ts";
import { readSynchronised } from "./clock/read-synchronised.ts";
import { createSteadyClock } from "./clock/steady-clock.ts";
import { keepTime } from "./clock/timekeeper.ts";
import { brokerSocket } from "./config/broker-socket.ts";
import { exampleConfig, serveOptions } from "./config/document-config.ts";
import { configFileOf, readConfig } from "./config/read-config.ts";
import { createHookRunner } from "./hooks/hook-runner.ts";
import { createImageDeriver } from "./images/derive/image-deriver.ts";
import { layOut } from "./images/derive/lay-out.ts";
import { createImageStore } from "./images/image-store.ts";
import { startDnsmasq } from "./network/dnsmasq/dnsmasq.ts";
import { readMachineRole } from "./network/dnsmasq/read-machine-role.ts";
import { startGanesha } from "./network/nfs/ganesha.ts";
import { startKernelNfs } from "./network/nfs/kernel-nfs.ts";
import { probeNfs } from "./network/nfs/probe-nfs.ts";
import { planServe } from "./network/plan-requirements.ts";
import { readInterfaceAddresses } from "./network/read-interface-addresses.ts";
import { readLinkSpeed } from "./network/read-link-speed.ts";
import { readMacAddress } from "./network/read-mac-address.ts";
import { runBroker } from "./privileges/run-broker.ts";
import { type ThroughBroker, throughBroker } from "./privileges/through-broker.ts";
import { createProfileFolder } from "./profiles/profile-folder.ts";
import { installMissing } from "./requirements/install-missing.ts";
import { changeRoots } from "./roots/change-roots.ts";
import { createAgentConnector } from "./rpc/agent/agent-client.ts";
import { createAnnouncer } from "./rpc/agent/announcer.ts";
import { createGrpcServer } from "./rpc/grpc-server.ts";
import { userOf } from "./rpc/socket-user.ts";
import { serve } from "./serving/serve.ts";
import { openStore } from "./store/open-store.ts";
import { version } from "./version.ts";

// What grpc-js is given is secured before (controller/tls, rpc/agent/agent-tls.ts), or the unix socket.
const plainServer = ServerCredentials.createInsecure();
const plainChannel = ChannelCredentials.createInsecure();

// Whatever it would print is also an error of the call concerned, with more detail.
setLogVerbosity(logVerbosity.NONE);

// For every program started from here on.
process.env["PATH"] = systemPath(process.env["PATH"]);

/** How long the process may outlive a controller that has shut down, in milliseconds. */
const lingerMs = 1000;

/** What needs root: done by this process if it is root, otherwise by its broker. */
const privileged: ThroughBroker =
  process.geteuid?.() === 0
    ? { startDnsmasq, nfsServers: { kernel: startKernelNfs, ganesha: startGanesha }, removeRoots: changeRoots, layOut }
    : throughBroker(brokerSocket);

const effects: Effects = {
  ...createProcessEffects(),
  version,
  connect({ name, bundle }) {
    if (bundle === undefined) return new ControllerServiceClient(name, plainChannel, controllerChannelOptions);
    const { key, cert, ca, serverName } = readBundle(bundle);
    const context = createSecureContext({ key, cert, ca: [...ca], minVersion: "TLSv1.3" });
    return new ControllerServiceClient(name, ChannelCredentials.createFromSecureContext(context), {
      ...controllerChannelOptions,
      "grpc.ssl_target_name_override": serverName,
    });
  },
  serve: {
    options: serveOptions,
    help: `\nA config file, with every default:\n\n${exampleConfig}`,
    async install(options, log) {
      const config = await readConfig({ options, env: process.env, workingDirectory: process.cwd() });
      await installMissing(planServe(config).needs, log);
    },
    async check(options) {
      const config = await readConfig({ options, env: process.env, workingDirectory: process.cwd() });
      return checkAsService(await checkServing(config, contract), config, process.argv);
    },
    async run(options, signal) {
      const inputs = { options, env: process.env, workingDirectory: process.cwd() };
      const config = await readConfig(inputs);
      // What the controller writes is nobody else's to read, before anything is written.
      process.umask(0o077);
      const log = pino({ level: config.logLevel, base: null }, createLogDestination(2));
      // Timers alone keep no process alive, and there may be nothing else while it waits for a network.
      const clock = createSteadyClock(systemClock, monotonicClock);
      const alive = setInterval(() => undefined, 2 ** 30);
      await serve(
        config,
        {
          version,
          configFile: configFileOf(inputs),
          clock,
          monotonicClock,
          moment: bootMomentNow,
          log,
          agentConnector: (options) => createAgentConnector({ ...options, credentials: plainChannel }),
          announcer: () => createAnnouncer(log),
          probeNode,
          runHook: createHookRunner({ clock, monotonicClock, log }),
          openStore,
          keepTime: ({ directory, newestEventAt }) => {
            const file = openClockFile(directory);
            return keepTime({ clock, system: systemClock, file, newestEventAt, isSynchronised: readSynchronised, log });
          },
          openImages: createImageStore,
          openProfiles: createProfileFolder,
          imageDeriver: (options) => createImageDeriver({ ...options, layOut: privileged.layOut }),
          findProblems: async (config) => (await checkServing(config, contract)).problems,
          interfaceAddresses: readInterfaceAddresses,
          machineRole: readMachineRole,
          linkSpeed: readLinkSpeed,
          macAddressOf: readMacAddress,
          removeRoots: privileged.removeRoots,
          startDnsmasq: privileged.startDnsmasq,
          nfsServers: privileged.nfsServers,
          probeNfs,
          listenTftp: createTftpServer,
          listenHttp: createHttpServer,
          listenGrpc: (options) => createGrpcServer({ ...options, credentials: plainServer }),
        },
        signal,
      ).finally(() => clearInterval(alive));
      // Everything is closed; what keeps the process alive now was cut off and must not keep it forever.
      setTimeout(() => process.exit(), lingerMs).unref();
    },
  },
  broker: {
    async run({ user, directory, config, socket }, signal) {
      process.umask(0o077);
      const inputs = { options: config === undefined ? {} : { config }, env: {}, workingDirectory: "/" };
      await runBroker(
        {
          ...{ user, directory, clock: monotonicClock },
          readConfig: () => readConfig(inputs),
          configFile: configFileOf(inputs),
          userOf,
          log: pino({ level: "info", base: null }, createLogDestination(2)),
          interfaceAddresses: readInterfaceAddresses,
          machineRole: readMachineRole,
          ...{
            startDnsmasq,
            nfsServers: { kernel: startKernelNfs, ganesha: startGanesha },
            removeRoots: changeRoots,
            layOut,
          },
        },
        socket,
        signal,
      );
    },
  },
};

// No await at the top: the binary is one CommonJS file, which knows none.
runCommandLine(process.argv.slice(2), effects).then((exitCode) => {
  process.exitCode = exitCode;
});
