// `buf curl` as an independent client: it knows the programs only by what their reflection says.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { execa } from "execa";
import { standardServices } from "../../proto/package-definition.ts";
import { checkout } from "../programs/checkout.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { aFolder } from "./a-folder.ts";
import { type AgentProgram, type ControllerProgram, startAgent, startController } from "./processes.ts";
import { compileByBuf } from "./views.ts";

const reference = await compileByBuf();

/** Runs `buf curl ARGS URL` against "host:port", or "unix:PATH". */
async function curl(target: string, path: string, args: readonly string[] = [], input = "") {
  const [, socket] = /^unix:(.*)$/.exec(target) ?? [];
  const door =
    socket === undefined ? [`http://${target}${path}`] : ["--unix-socket", socket, `http://localhost${path}`];
  return execa("buf", ["curl", "--protocol", "grpc", "--http2-prior-knowledge", ...args, ...door], {
    preferLocal: true,
    localDir: checkout,
    input,
    reject: false,
  });
}

/** Calls a method with messages in JSON; its answers. */
async function call(
  target: string,
  method: string,
  messages: readonly object[] = [{}],
): Promise<Record<string, unknown>[]> {
  const input = messages.map((message) => JSON.stringify(message)).join("\n");
  const { stdout, stderr, exitCode } = await curl(target, `/pallet.v1.${method}`, ["--data", "@-"], input);
  assert.equal(exitCode, 0, stderr);
  // One indented JSON value after the other: each begins and ends with a brace of its own line.
  const answers = stdout.match(/^\{(?:\}$|[\s\S]*?^\})/gm) ?? [];
  return answers.map((answer) => JSON.parse(answer) as Record<string, unknown>);
}

function methodsOf(service: string): string[] {
  const type = reference.getService(service);
  assert.ok(type);
  return type.methods.map(({ name }) => `${service}/${name}`);
}

async function lists(address: string, services: readonly string[]): Promise<void> {
  const listed = await curl(address, "", ["--list-services"]);
  assert.deepEqual(listed.stdout.split("\n").toSorted(), [...services, ...standardServices].toSorted(), listed.stderr);
  const methods = await curl(address, "", ["--list-methods"]);
  const ours = methods.stdout.split("\n").filter((name) => name.startsWith("pallet."));
  assert.deepEqual(ours.toSorted(), services.flatMap(methodsOf).toSorted(), methods.stderr);
}

describe("buf curl and a running agent", () => {
  let agent: AgentProgram;
  let socket: string;
  before(async () => {
    agent = await startAgent();
    socket = `unix:${agent.socket}`;
  });
  after(() => agent?.kill());

  it("lists its services and methods", () => lists(socket, ["pallet.v1.AgentService"]));

  it("calls a unary RPC", async () => {
    const [answer] = await call(socket, "AgentService/GetNode");
    const { facts, agent: info } = answer as { facts: { bootId: string }; agent: { role: string } };
    assert.equal(facts.bootId, (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim());
    assert.equal(info.role, "AGENT_ROLE_NETBOOT");
  });

  it("calls a server-streaming RPC to its end", async () => {
    const operationId = "by-buf-curl";
    await call(socket, "AgentService/StartOperation", [{ operationId, spec: { identify: { duration: "1s" } } }]);
    const states = await call(socket, "AgentService/WatchOperation", [{ operationId }]);
    const { operation } = states.at(-1) as { operation: { operationId: string; state: string } };
    assert.equal(operation.operationId, operationId);
    assert.match(operation.state, /SUCCEEDED|FAILED/);
  });

  it("shows an error with its status", async () => {
    const request = JSON.stringify({ operationId: "unknown" });
    const path = "/pallet.v1.AgentService/CancelOperation";
    const { stderr, exitCode } = await curl(socket, path, ["--data", request]);
    assert.notEqual(exitCode, 0);
    assert.equal((JSON.parse(stderr) as { code: string }).code, "not_found");
  });

  it("asks for its health", async () => {
    const { stdout, stderr } = await curl(socket, "/grpc.health.v1.Health/Check");
    assert.deepEqual(JSON.parse(stdout || stderr), { status: "SERVING" });
  });
});

describe("buf curl and a running controller", () => {
  let controller: ControllerProgram;
  let socket: string;
  before(async () => {
    controller = await startController({ settings: { insecure: true } });
    socket = `unix:${controller.socket}`;
  });
  after(() => controller?.kill());

  it("lists the services and methods of its unix socket", () =>
    lists(socket, ["pallet.v1.ControllerService", "pallet.v1.EnrollmentService"]));

  it("lists those of its TCP port, which goes without certificates", () =>
    lists(controller.address, ["pallet.v1.ControllerService", "pallet.v1.EnrollmentService"]));

  it("calls a unary RPC of each door", async () => {
    const mac = "02:00:00:00:00:01";
    const facts = { bootId: "one", interfaces: [{ name: "eth0", mac }] };
    const agent = { instanceId: "one", port: 1, role: "AGENT_ROLE_NETBOOT" };
    await call(controller.address, "EnrollmentService/Register", [{ bootMac: mac, facts, agent }]);
    const [answer] = await call(socket, "ControllerService/ListNodes");
    const { nodes } = answer as { nodes: { nodeId: string; online: boolean }[] };
    assert.deepEqual(
      nodes.map(({ nodeId, online }) => [nodeId, online]),
      [[mac, true]],
    );
  });

  it("calls a RPC that streams both ways", async (test) => {
    const image = await makeTinyImage({ folder: await aFolder(test), name: "tiny" });
    const file = zstdCompressSync(await readFile(image.path));
    const half = Math.ceil(file.length / 2);
    const answers = await call(socket, "ControllerService/AddImage", [
      { header: { name: "by-buf-curl", fileBytes: String(file.length) } },
      { chunk: file.subarray(0, half).toString("base64") },
      { chunk: file.subarray(half).toString("base64") },
    ]);
    const { image: added } = answers.at(-1) as { image: { name: string; sizeBytes: string } };
    assert.equal(added.name, "by-buf-curl");
    assert.equal(added.sizeBytes, String(image.sizeBytes));
  });

  it("calls a server-streaming RPC to its end", async () => {
    const events = await call(socket, "ControllerService/StreamEvents");
    const types = events.map(({ event }) => (event as { type: string }).type);
    assert.ok(types.slice(0, 2).includes("controller-started"));
    assert.deepEqual(types.slice(-1), ["image-added"]);
  });
});
