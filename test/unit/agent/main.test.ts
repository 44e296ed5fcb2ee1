// The real program as a process, with real clients and a real EnrollmentService.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Server, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { execa } from "execa";
import { readNodeFacts } from "../../../agent/inventory/read-node-facts.ts";
import type { WatchOperationResponse } from "../../../proto/gen/pallet/v1/agent.ts";
import {
  type EnrollmentServiceServer,
  EnrollmentServiceService,
  type RegisterRequest,
} from "../../../proto/gen/pallet/v1/enrollment.ts";
import { LogLevel, type LogRecord } from "../../../proto/gen/pallet/v1/log.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import type { OperationSpec } from "../../../proto/gen/pallet/v1/operation.ts";
import { OperationState } from "../../../proto/gen/pallet/v1/operation.ts";
import { ask } from "../../../proto/grpc/call.ts";
import { until } from "../../until.ts";
import { type AgentProcess, anAgentProcess } from "./an-agent-process.ts";

/** A controller that remembers who registered, and forgets everyone after so many heartbeats. */
async function aController(
  test: TestContext,
  {
    forgetAfterBeats = Number.POSITIVE_INFINITY,
    onRecords = () => {},
    controllers = [],
  }: {
    forgetAfterBeats?: number;
    onRecords?: () => void;
    /** Under which addresses it says that it is reached. */
    controllers?: readonly string[];
  } = {},
) {
  const registrations: RegisterRequest[] = [];
  const records: LogRecord[] = [];
  let beats = 0;
  const service: EnrollmentServiceServer = {
    register(call, callback) {
      registrations.push(call.request);
      beats = 0;
      callback(null, {
        name: "pi-1",
        heartbeatInterval: { seconds: 0n, nanos: 100_000_000 },
        controllers: [...controllers],
        caCertificates: [],
      });
    },
    enroll: (_call, callback) => callback({ code: status.UNIMPLEMENTED }),
    enrollResident: (_call, callback) => callback({ code: status.UNIMPLEMENTED }),
    heartbeat(_call, callback) {
      beats += 1;
      if (beats > forgetAfterBeats) callback({ code: status.NOT_FOUND });
      else callback(null, { heartbeatInterval: { seconds: 0n, nanos: 100_000_000 }, caCertificates: [] });
    },
    reportLogs(call, callback) {
      records.push(...call.request.records);
      onRecords();
      callback(null, {});
    },
  };
  const server = new Server();
  server.addService(EnrollmentServiceService, service);
  const listen = (port: number) =>
    promisify(server.bindAsync.bind(server))(`127.0.0.1:${port}`, ServerCredentials.createInsecure());
  test.after(() => server.forceShutdown());
  return { registrations, records, listen };
}

/** Of a call that the agent answers at once. */
const patience = { timeoutMs: 60_000 };

const start = ({ client }: AgentProcess, operationId: string, spec: OperationSpec) =>
  ask(client, client.startOperation, { operationId, spec }, patience);

const node = ({ client }: AgentProcess) => ask(client, client.getNode, {}, patience);

const rebooter =
  ({ client }: AgentProcess) =>
  (request: { readonly expectedBootId: string }) =>
    ask(client, client.reboot, request, patience);

const hasCode = (code: status) => (error: ServiceError) => {
  assert.equal(status[error.code], status[code], error.message);
  return true;
};

const identify: OperationSpec = {
  work: { $case: "identify", value: { duration: { seconds: 0n, nanos: 20_000_000 } } },
};

describe("a running agent/main.ts", () => {
  const cleanup: (() => unknown)[] = [];
  let agent: AgentProcess;
  let mark: string;

  before(async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-agent-"));
    cleanup.push(() => rm(folder, { recursive: true }));
    mark = path.join(folder, "rebooted");
    agent = await anAgentProcess({ after: (clean) => void cleanup.push(clean as () => unknown) }, [
      "--reboot-command",
      `touch ${mark}`,
    ]);
  });
  after(async () => {
    for (const clean of cleanup) await clean();
  });

  it("serves its node's facts", async () => {
    const { facts, agent: info } = await node(agent);
    assert.match(facts?.bootId ?? "", /^[0-9a-f-]{36}$/);
    assert.equal(info?.port, 0, "without a controller there is nobody to serve on the network");
    assert.equal(info?.role, AgentRole.AGENT_ROLE_NETBOOT);
  });

  it("runs operations that can be watched to their end", async () => {
    await start(agent, "led", identify);
    const watched: WatchOperationResponse[] = await agent.client.watchOperation({ operationId: "led" }).toArray();
    const last = watched.at(-1)?.operation;
    // Few machines have such an LED; either end is a good one here.
    const { OPERATION_STATE_FAILED, OPERATION_STATE_SUCCEEDED } = OperationState;
    const expected = last?.failure === undefined ? OPERATION_STATE_SUCCEEDED : OPERATION_STATE_FAILED;
    assert.equal(last?.state, expected);
    assert.ok(last?.endedAt);
    assert.deepEqual((await start(agent, "led", identify)).operation, last);
    const wipe: OperationSpec = { work: { $case: "wipe", value: { device: "/dev/nothing", method: 1 } } };
    await assert.rejects(start(agent, "led", wipe), hasCode(status.ALREADY_EXISTS));
    await assert.rejects(start(agent, "w", wipe), hasCode(status.FAILED_PRECONDITION));
    await assert.rejects(start(agent, "w w", wipe), hasCode(status.INVALID_ARGUMENT));
    await assert.rejects(agent.client.watchOperation({ operationId: "w" }).toArray(), hasCode(status.NOT_FOUND));
  });

  it("reboots on request, by the command it was given, if the caller knows the boot", async () => {
    const reboot = rebooter(agent);
    await assert.rejects(reboot({ expectedBootId: "another" }), hasCode(status.FAILED_PRECONDITION));
    const bootId = (await node(agent)).facts?.bootId ?? "";
    await reboot({ expectedBootId: bootId });
    assert.ok(!existsSync(mark), "it rebooted before it answered");
    await until(() => existsSync(mark), "the program that reboots was not run");
  });

  it("stops in order on SIGTERM", async () => {
    assert.equal(await agent.stop(), 0);
    assert.equal(agent.log.at(-1)?.msg, "stopped");
  });
});

describe("agent/main.ts", () => {
  it("registers with the controller of its kernel command line, again and again until it is there", async (test) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-agent-"));
    test.after(() => rm(folder, { recursive: true }));
    const controller = await aController(test, { forgetAfterBeats: 2 });
    // A port that is free, and stays so for a moment.
    const unused = new Server();
    const port = await promisify(unused.bindAsync.bind(unused))("127.0.0.1:0", ServerCredentials.createInsecure());
    unused.forceShutdown();
    const line = path.join(folder, "cmdline");
    await writeFile(line, `quiet pallet.controller=127.0.0.1:${port} pallet.node=B8-27-EB-00-00-01\n`);
    const agent = await anAgentProcess(test, ["--kernel-command-line", line, "--listen", "127.0.0.1", "--insecure"]);
    await agent.logged("could not reach the controller; retrying");
    await controller.listen(port);
    await agent.logged("the controller is answering again");
    await agent.logged("the controller does not know this agent; registering again");
    await until(() => controller.registrations.length >= 2, "the agent did not register again");
    const [first, second] = controller.registrations;
    assert.equal(first?.bootMac, "b8:27:eb:00:00:01");
    assert.equal(first?.agent?.port, agent.port);
    assert.equal(first?.agent?.instanceId, second?.agent?.instanceId);
    assert.equal(first?.facts?.bootId, (await node(agent)).facts?.bootId);
  });

  /** An agent and the controller that it was told of; what that has received of the log. */
  const aLoggingAgent = async (
    test: TestContext,
    {
      args = [],
      env = {},
      onRecords = () => {},
    }: { args?: string[]; env?: Record<string, string>; onRecords?: () => void } = {},
  ) => {
    const { records, listen } = await aController(test, { onRecords });
    const port = await listen(0);
    const node = ["--node", "02:00:00:00:00:01"];
    const insecure = ["--controller", `127.0.0.1:${port}`, "--insecure"];
    const agent = await anAgentProcess(test, [...insecure, ...node, ...args], env);
    return { agent, records, messages: () => records.map(({ message }) => message) };
  };

  it("hands its log to the controller, from its first word to its last, each once", async (test) => {
    const { agent, records, messages } = await aLoggingAgent(test);
    await agent.logged("registered");
    assert.equal(await agent.stop(), 0);
    // It looks at this machine's disks: another test may have one with a stamp that is broken.
    const isOfOthers = (message: string): boolean => /^(INSECURE|ignoring the stamp on )/.test(message);
    assert.deepEqual(
      messages().filter((message) => !isOfOthers(message)),
      ["serving", "registered", "stopping", "stopped"],
    );
    assert.deepEqual(
      messages(),
      agent.log.map(({ msg }) => msg),
    );
    assert.deepEqual(
      records.map(({ sequence }) => sequence),
      records.map((_, index) => BigInt(index + 1)),
    );
    const [serving] = records;
    assert.equal(serving?.level, LogLevel.LOG_LEVEL_INFO);
    assert.equal(JSON.parse(serving?.fieldsJson ?? "")["port"], agent.port);
    assert.equal(serving?.time?.getTime(), agent.log[0]?.["time"]);
    assert.ok(serving?.age !== undefined);
  });

  it("hands its last words to the controller before it reboots the node", async (test) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-agent-"));
    test.after(() => rm(folder, { recursive: true }));
    const mark = path.join(folder, "rebooted");
    const seen: boolean[] = [];
    const { agent, messages } = await aLoggingAgent(test, {
      args: ["--reboot-command", `touch ${mark}`],
      onRecords: () => void seen.push(existsSync(mark)),
    });
    await agent.logged("registered");
    const reboot = rebooter(agent);
    await reboot({ expectedBootId: (await node(agent)).facts?.bootId ?? "" });
    await until(() => existsSync(mark), "the program that reboots was not run");
    assert.equal(messages().at(-1), "rebooting");
    assert.equal(seen.at(-1), false);
  });

  it("tells the controller of the defect that ends it", async (test) => {
    const defect = "process.on('SIGUSR2', () => { throw new Error('a bug', { cause: new Error('a fly') }); })";
    const { agent, records } = await aLoggingAgent(test, {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(defect)}` },
    });
    await agent.logged("registered");
    agent.child.kill("SIGUSR2");
    assert.equal(await agent.end(), 1);
    const last = records.at(-1);
    assert.equal(last?.level, LogLevel.LOG_LEVEL_FATAL);
    assert.match(last?.error ?? "", /^Error: a bug\n[\s\S]*caused by: Error: a fly/);
  });

  it("reports in its resident role on what it is installed, and writes nothing", async (test) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-agent-"));
    test.after(() => rm(folder, { recursive: true }));
    const file = path.join(folder, "installed.json");
    const installedAt = "2026-01-01T00:00:00.000Z";
    await writeFile(
      file,
      JSON.stringify({ imageName: "debian", imageDigest: "ab".repeat(32), reimageId: "r", installedAt }),
    );
    const agent = await anAgentProcess(test, ["--role", "resident", "--installed-file", file]);
    const { agent: info } = await node(agent);
    assert.equal(info?.role, AgentRole.AGENT_ROLE_RESIDENT);
    assert.deepEqual(info?.installed, {
      imageName: "debian",
      imageDigest: "ab".repeat(32),
      reimageId: "r",
      installedAt: new Date(installedAt),
      ids: [],
      config: "",
    });
    const unmount: OperationSpec = { work: { $case: "unmount", value: { device: "/dev/mmcblk0" } } };
    await assert.rejects(start(agent, "u", unmount), hasCode(status.FAILED_PRECONDITION));
  });

  it("finds its controller by the settings of its system when the board booted without kernel words, and keeps them up to date", async (test) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-agent-"));
    test.after(() => rm(folder, { recursive: true }));
    const controllers: string[] = [];
    const controller = await aController(test, { controllers });
    const port = await controller.listen(0);
    controllers.push(`127.0.0.1:${port}`, "controller.lan:7700");
    const file = path.join(folder, "agent.json");
    const [own] = (await readNodeFacts()).interfaces;
    assert.ok(own, "this machine has no network interface");
    const settings = { node: own.mac, trust: "of a later Pallet" };
    await writeFile(file, JSON.stringify({ ...settings, controllers: ["127.0.0.1:1", `127.0.0.1:${port}`] }));
    const agent = await anAgentProcess(test, ["--role", "resident", "--settings-file", file, "--insecure"]);
    await agent.logged("registered");
    await agent.logged("this system was booted without a controller's kernel words");
    assert.equal(controller.registrations[0]?.bootMac, own.mac);
    assert.equal(controller.registrations[0]?.agent?.bootedAlone, true);
    await agent.logged("the controller's addresses have changed");
    assert.deepEqual(JSON.parse(await readFile(file, "utf8")), { ...settings, controllers });
  });

  it("starts without settings that are broken, and says so", async (test) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-agent-"));
    test.after(() => rm(folder, { recursive: true }));
    const file = path.join(folder, "agent.json");
    await writeFile(file, "{");
    const agent = await anAgentProcess(test, ["--role", "resident", "--settings-file", file]);
    await agent.logged("ignoring the settings of the installed system");
    assert.equal(await readFile(file, "utf8"), "{");
  });

  for (const [way, end] of [
    ["SIGTERM", (pid: number) => process.kill(pid, "SIGTERM")],
    ["Ctrl-C in a terminal", (pid: number) => process.kill(-pid, "SIGINT")],
  ] as const)
    it(`stops in order by ${way} also while it runs a tool`, async (test) => {
      const { agent, messages } = await aLoggingAgent(test, { args: ["--reboot-command", "sleep 10"] });
      await agent.logged("registered");
      const reboot = rebooter(agent);
      await reboot({ expectedBootId: (await node(agent)).facts?.bootId ?? "" });
      await agent.logged("rebooting");
      await until(() => messages().at(-1) === "rebooting", "its last words did not arrive");
      // The tool starts once the last words have arrived.
      await delay(200);
      end(agent.child.pid ?? 0);
      assert.equal(await agent.end(), 0);
      assert.equal(messages().at(-1), "stopped");
    });

  it("says everything that is wrong with its options, and ends with 1", async () => {
    const main = path.resolve(import.meta.dirname, "../../../agent/main.ts");
    const { exitCode, stderr } = await execa(process.execPath, [main, "--port", "x", "--role", "y"], { reject: false });
    assert.equal(exitCode, 1);
    assert.match(stderr, /--port "x".*\n.*--role "y"/);
    assert.doesNotMatch(stderr, /\.ts:/);
  });

  it("ends with 1 when its port is taken", async (test) => {
    const { port, socket } = await anAgentProcess(test, ["--insecure"]);
    const main = path.resolve(import.meta.dirname, "../../../agent/main.ts");
    const args = ["--port", String(port), "--insecure", "--socket", `${socket}2`];
    const { exitCode, stderr } = await execa(process.execPath, [main, ...args], { reject: false });
    assert.equal(exitCode, 1);
    assert.match(stderr, new RegExp(`cannot listen on 127.0.0.1:${port}`));
  });
});
