import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { credentials, ServerCredentials } from "@grpc/grpc-js";
import { pino } from "pino";
import { createHttpServer } from "../../../../controller/boot/http-server.ts";
import { createTftpServer } from "../../../../controller/boot/tftp/tftp-server.ts";
import type { Problem } from "../../../../controller/check/problem.ts";
import type { Config } from "../../../../controller/config/config.ts";
import { parseConfigFile } from "../../../../controller/config/parse-config-file.ts";
import { resolveConfig } from "../../../../controller/config/resolve-config.ts";
import { createImageStore } from "../../../../controller/images/image-store.ts";
import { createProfileFolder } from "../../../../controller/profiles/profile-folder.ts";
import { createAgentConnector } from "../../../../controller/rpc/agent/agent-client.ts";
import { createGrpcServer } from "../../../../controller/rpc/grpc-server.ts";
import { serve } from "../../../../controller/serving/serve.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import { ControllerServiceClient } from "../../../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceClient, RegisterRequest } from "../../../../proto/gen/pallet/v1/enrollment.ts";
import { AgentRole } from "../../../../proto/gen/pallet/v1/node.ts";
import { fingerprintOf, serverNameOf } from "../../../../proto/identity/authority-name.ts";
import { createKey, createRequest } from "../../../../proto/identity/certificate-request.ts";
import { derToPem, pemToDer } from "../../../../proto/identity/pem.ts";
import { bootMomentNow } from "../../../../proto/linux/boot-moment-now.ts";
import { monotonicClock, systemClock } from "../../../../proto/time/clock.ts";
import { until } from "../../../until.ts";
import { ask } from "../rpc/served-controller.ts";

interface Addresses {
  readonly grpc: string;
  readonly http: string;
  readonly tftp: string;
  readonly socket: string;
}

describe("serve", () => {
  let folder: string;
  let stop: AbortController;
  let running: Promise<void>;
  let problems: readonly Problem[];
  let warnings: string[];
  beforeEach(() => {
    warnings = [];
    folder = mkdtempSync(path.join(tmpdir(), "pallet-serve-"));
    stop = new AbortController();
    running = Promise.resolve();
    problems = [];
  });
  afterEach(async () => {
    stop.abort();
    await running.catch(() => undefined);
    rmSync(folder, { recursive: true });
  });

  const configure = (more = ""): Config => {
    const file = `stateDirectory: state\nsocket: run/c.sock\ngrpcPort: 0\nhttpPort: 0\nhttpsPort: 0\ntftpPort: 0\n`;
    const result = resolveConfig([
      parseConfigFile(more, path.join(folder, "more.yaml")),
      parseConfigFile(file, path.join(folder, "c.yaml")),
    ]);
    assert.ok(result.ok, result.ok ? "" : result.problems.join("\n"));
    return result.config;
  };

  /** Starts a controller and waits for its word that it serves. */
  const start = (config: Config): Promise<Addresses> =>
    new Promise((resolve, reject) => {
      const log = pino(
        {
          base: null,
          hooks: {
            logMethod(args, method) {
              if (args.at(-1) === "serving") resolve(args[0] as unknown as Addresses);
              method.apply(this, args);
            },
          },
        },
        {
          write(line: string) {
            const { level, msg } = JSON.parse(line) as { level: number; msg: string };
            if (level === pino.levels.values["warn"]) warnings.push(msg);
          },
        },
      );
      const insecure = ServerCredentials.createInsecure();
      running = serve(
        config,
        {
          version: "0",
          configFile: "/nowhere/pallet.yaml",
          clock: systemClock,
          moment: bootMomentNow,
          monotonicClock,
          log,
          agentConnector: () => createAgentConnector({ credentials: credentials.createInsecure() }),
          announcer: () => ({ announce: () => undefined, close: () => undefined }),
          probeNode: () => assert.fail("a node was probed"),
          runHook: () => assert.fail("a hook was run"),
          keepTime: async () => ({ waiting: () => [], stop: () => undefined }),
          openStore: (file) => openStore(file, { busyTimeoutMs: 1 }),
          openImages: createImageStore,
          openProfiles: createProfileFolder,
          imageDeriver: () => ({ derive: () => assert.fail("an image was derived") }),
          findProblems: async () => problems,
          interfaceAddresses: () => [],
          machineRole: () => assert.fail("what this machine is for the network was asked for"),
          linkSpeed: () => assert.fail("the speed of no interface was asked for"),
          macAddressOf: async () => undefined,
          removeRoots: () => assert.fail("a root filesystem was removed"),
          startDnsmasq: () => assert.fail("dnsmasq was started"),
          nfsServers: {
            kernel: () => assert.fail("the kernel's NFS server was used"),
            ganesha: () => assert.fail("nfs-ganesha was started"),
          },
          probeNfs: () => assert.fail("NFS was asked for"),
          listenTftp: createTftpServer,
          listenHttp: createHttpServer,
          listenGrpc: (options) => createGrpcServer({ ...options, credentials: insecure }),
        },
        stop.signal,
      );
      running.catch(reject);
    });

  /** A client with the certificate that the words of a boot config are good for. */
  async function enrolled(grpc: string, bootMac: string, bootConfig: string): Promise<EnrollmentServiceClient> {
    const [authority] = pemToDer(
      readFileSync(path.join(folder, "state/identity/authority.pem"), "utf8"),
      "CERTIFICATE",
    );
    assert.ok(authority);
    const fingerprint = /pallet\.ca=(\S+)/.exec(bootConfig)?.[1];
    assert.equal(fingerprint, fingerprintOf(authority));
    const connect = (key: string | null, certificate: string | null) =>
      new EnrollmentServiceClient(
        grpc,
        credentials.createSsl(
          ...([derToPem(authority, "CERTIFICATE"), key, certificate].map((pem) => pem && Buffer.from(pem)) as Buffer[]),
        ),
        { "grpc.ssl_target_name_override": serverNameOf(fingerprint) },
      );
    const stranger = connect(null, null);
    const key = createKey();
    const csrDer = Buffer.from(createRequest(key));
    const token = /pallet\.token=(\S+)/.exec(bootConfig)?.[1] ?? "";
    const request = { bootMac, token, csrDer, serial: "", bootId: "b", role: AgentRole.AGENT_ROLE_NETBOOT };
    const { certificateDer } = await ask(stranger, stranger.enroll, request);
    stranger.close();
    const pem = derToPem(key.export({ type: "pkcs8", format: "der" }), "PRIVATE KEY");
    return connect(pem, derToPem(certificateDer, "CERTIFICATE"));
  }

  it("serves boot configs, discovers, registers, and remembers it all after a restart", async () => {
    const first = await start(configure());
    const config = await (await fetch(`http://${first.http}/boot/pxelinux.cfg/01-b8-27-eb-00-00-01`)).text();
    assert.match(config, new RegExp(`pallet.controller=${first.grpc} pallet.node=b8:27:eb:00:00:01`));
    const client = await enrolled(first.grpc, "b8:27:eb:00:00:01", config);
    const request = RegisterRequest.fromPartial({
      bootMac: "b8:27:eb:00:00:01",
      facts: { bootId: "b", interfaces: [{ name: "eth0", mac: "b8:27:eb:00:00:01" }] },
      agent: { role: 1, instanceId: "i", port: 7710 },
    });
    assert.equal((await ask(client, client.register, request)).name, "node-000001");
    client.close();
    assert.ok(existsSync(first.socket));
    stop.abort();
    await running;
    assert.deepEqual(readdirSync(path.dirname(first.socket)), []);

    const store = openStore(path.join(folder, "state/pallet.sqlite"));
    const types = store.events.read({ afterId: 0, count: 100, prefer: "oldest" }).map((event) => event.type);
    assert.deepEqual(types, [
      ...["authority-made", "controller-started", "node-discovered", "node-registered", "controller-stopped"],
    ]);
    assert.equal(store.nodes.all()[0]?.agent?.instanceId, "i");
    store.close();
  });

  it("boots the pair that the boot tree holds at that moment", async () => {
    const { http } = await start(configure());
    const ask = async (): Promise<readonly (string | undefined)[]> => {
      const text = await (await fetch(`http://${http}/boot/pxelinux.cfg/01-b8-27-eb-00-00-01`)).text();
      return [/KERNEL (\S+)/.exec(text)?.[1], /INITRD (\S+)/.exec(text)?.[1]];
    };
    const build = (...names: readonly string[]) => {
      const files = Object.fromEntries(names.map((name) => [name, { sha256: "0", sizeBytes: 1 }]));
      const manifest = { versions: { uBoot: "1", firmware: "1" }, targets: [], files };
      writeFileSync(path.join(folder, "state/boot/manifest.json"), JSON.stringify(manifest));
    };
    assert.deepEqual(await ask(), ["agent/vmlinuz", undefined]);
    build("agent/vmlinuz", "agent/initrd.img");
    assert.deepEqual(await ask(), ["agent/vmlinuz", "agent/initrd.img"]);
    build("agent/vmlinuz");
    assert.deepEqual(await ask(), ["agent/vmlinuz", undefined]);
    writeFileSync(path.join(folder, "state/boot/manifest.json"), "{");
    assert.deepEqual(await ask(), ["agent/vmlinuz", undefined]);
  });

  it("says at every start, as an event too, that it takes every call from everybody, where it is set to", async () => {
    const types = (): string[] => {
      const store = openStore(path.join(folder, "state/pallet.sqlite"));
      const events = store.events.read({ afterId: 0, count: 100, prefer: "oldest" });
      store.close();
      return events.map(({ type, severity }) => `${type} ${severity}`);
    };
    for (const _ of ["first start", "second start"]) {
      stop = new AbortController();
      const { grpc } = await start(configure("insecure: true"));
      const [warning] = warnings.splice(0);
      assert.match(warning ?? "", new RegExp(`^INSECURE: .*anyone who can reach TCP ${grpc} or a node`));
      stop.abort();
      await running;
    }
    assert.equal(types().filter((each) => each === "insecure-opened warning").length, 2);
    stop = new AbortController();
    await start(configure());
    assert.deepEqual(warnings, []);
    stop.abort();
    await running;
    assert.equal(types().filter((each) => each === "insecure-opened warning").length, 2);
  });

  it("names the port that is taken, and how to choose another; and lets go of everything", async () => {
    const tcp = createServer().listen(0, "127.0.0.1");
    const udp = createSocket("udp4").bind(0, "127.0.0.1");
    await Promise.all([tcp, udp].map((each) => new Promise((resolve) => each.once("listening", resolve))));
    const tcpPort = (tcp.address() as { port: number }).port;
    const udpPort = udp.address().port;
    try {
      for (const [setting, port, message] of [
        [
          "grpcPort",
          tcpPort,
          /cannot serve gRPC at TCP 127\.0\.0\.1:\d+: another program uses that port.*grpcPort \(--grpc-port\)/,
        ],
        ["httpPort", tcpPort, /cannot serve HTTP at TCP .*httpPort \(--http-port\)/],
        ["tftpPort", udpPort, /cannot serve TFTP at UDP .*ss -lunp.*tftpPort \(--tftp-port\)/],
      ] as const) {
        await assert.rejects(start(configure(`${setting}: ${port}`)), message);
      }
    } finally {
      tcp.close();
      udp.close();
    }
    await start(configure());
  });

  it("waits for an address that this machine does not have yet, answers at its socket meanwhile, and says so", async () => {
    const config = configure("listen: 192.0.2.1");
    start(config).catch(() => undefined);
    const client = new ControllerServiceClient(`unix:${config.socket}`, credentials.createInsecure());
    try {
      await until(async () => existsSync(config.socket), "the socket is not there");
      // The socket answers before each of the ports was tried.
      const waitingFor = async () => (await ask(client, client.getStatus, {})).waitingFor;
      await until(async () => (await waitingFor()).length >= 3, "it does not wait for three ports");
      assert.deepEqual(
        await waitingFor(),
        ["HTTP", "HTTPS", "gRPC"].map(
          (name) => `${name}: no interface of this machine has the address 192.0.2.1 (listen)`,
        ),
      );
      assert.equal(warnings.length, 3);
    } finally {
      client.close();
    }
    stop.abort();
    await running;
  });

  it("ends at once for what does not go away by itself, and says all that is wrong", async () => {
    problems = [
      { part: "programs", message: "not installed: dnsmasq", remedy: "apt-get install dnsmasq-base", isFatal: true },
      { part: "boot tree", message: "nothing was built", remedy: "controller boot-tree build", isFatal: false },
    ];
    await assert.rejects(
      start(configure()),
      /cannot serve:\n {2}programs: not installed: dnsmasq\. Remedy: apt-get install dnsmasq-base\n {2}boot tree: /,
    );
    assert.equal(existsSync(path.join(folder, "state")), false);
  });

  it("serves in spite of what goes away by itself, and says so", async () => {
    problems = [
      { part: "boot tree", message: "nothing was built", remedy: "controller boot-tree build", isFatal: false },
    ];
    await start(configure());
    assert.deepEqual(warnings, ["boot tree: nothing was built. Remedy: controller boot-tree build"]);
  });

  it("refuses a boot profile that no boot config can carry before anything is served", async () => {
    await assert.rejects(start(configure("bootProfile: {agent: {append: ['a$b']}}")), /a\$b/);
    assert.equal(existsSync(path.join(folder, "state")), false);
  });
});
