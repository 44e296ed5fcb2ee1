// The real program with a controller that has a certificate, and with those that pretend to be it.
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import os from "node:os";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createSecureContext } from "node:tls";
import { ChannelCredentials, status } from "@grpc/grpc-js";
import { readBootId } from "../../../agent/inventory/read-node-facts.ts";
import { AgentServiceClient } from "../../../proto/gen/pallet/v1/agent.ts";
import { ask } from "../../../proto/grpc/call.ts";
import { fingerprintOf } from "../../../proto/identity/authority-name.ts";
import { until } from "../../until.ts";
import { aTlsController } from "./a-tls-controller.ts";
import { type AgentProcess, anAgentProcess } from "./an-agent-process.ts";
import { anAuthority, type Leaf, pemOf, type TestAuthority } from "./identity/an-authority.ts";

const authority = anAuthority();
const another = anAuthority("Another");
const mac = "b8:27:eb:00:00:01";
const uri = `pallet://node/b8-27-eb-00-00-01/netboot/${await readBootId()}`;

async function aFolder(test: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-agent-"));
  test.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function start(
  test: TestContext,
  port: number,
  { believed = authority, token = "t0ken", more = [] as string[], words = "" } = {},
): Promise<AgentProcess> {
  const folder = await aFolder(test);
  const line = path.join(folder, "cmdline");
  const trust = `pallet.ca=${fingerprintOf(believed.certificate.raw)} pallet.token=${token}`;
  await writeFile(line, `quiet pallet.controller=127.0.0.1:${port} pallet.node=${mac} ${trust} ${words}\n`);
  return await anAgentProcess(test, ["--kernel-command-line", line, "--listen", "127.0.0.1", ...more]);
}

/** What somebody with this certificate is answered by the agent's TCP port. */
async function callAs(port: number, own: Leaf | undefined, believed: TestAuthority = authority): Promise<string> {
  const context = createSecureContext({ ca: String(believed.certificate), ...(own && pemOf(own)) });
  const trust = { checkServerIdentity: () => undefined };
  const client = new AgentServiceClient(
    `127.0.0.1:${port}`,
    ChannelCredentials.createFromSecureContext(context, trust),
  );
  try {
    return (await ask(client, client.getNode, {}, { timeoutMs: 5_000 })).facts?.bootId ?? "";
  } catch (error) {
    return status[(error as { code: status }).code] ?? "";
  } finally {
    client.close();
  }
}

describe("an agent of a controller with a certificate", () => {
  it("gets its own, registers with it, and obeys its controller alone", async (test) => {
    const controller = await aTlsController(test, authority);
    const agent = await start(test, controller.port);
    await agent.logged("registered");
    assert.equal(controller.enrolments.length, 1);
    assert.equal(controller.enrolments[0]?.bootMac, mac);
    assert.deepEqual(controller.callers, [`URI:${uri}`]);
    const bootId = await readBootId();
    assert.equal(await callAs(agent.port, authority.issue("pallet://controller")), bootId);
    for (const own of [
      undefined,
      authority.issue("pallet://operator/eve"),
      authority.issue("pallet://node/b8-27-eb-00-00-02/resident"),
      another.issue("pallet://controller"),
    ])
      assert.equal(await callAs(agent.port, own), "UNAVAILABLE");
    const [refused] = agent.log.filter(({ msg }) => msg.startsWith("refused a connection"));
    assert.match(refused?.msg ?? "", /only the controller may give orders/);
    const { facts } = await ask(agent.client, agent.client.getNode, {}, { timeoutMs: 5_000 });
    assert.equal(facts?.bootId, bootId, "root on the node is not served");
    assert.equal(statSync(agent.socket).mode & 0o777, 0o600);
    assert.equal(await agent.stop(), 0);
    assert.ok(!agent.log.some((line) => JSON.stringify(line).includes("t0ken")), "the token is in the log");
  });

  it("goes on with its certificate when it starts again within its boot: its token is good for one key", async (test) => {
    const file = path.join(await aFolder(test), "identity/agent.pem");
    const controller = await aTlsController(test, authority);
    const more = ["--identity-file", file];
    const first = await start(test, controller.port, { more });
    await first.logged("registered");
    first.child.kill("SIGKILL");
    await first.end();
    assert.equal(statSync(file).mode & 0o777, 0o600);
    controller.tokens.clear();
    const second = await start(test, controller.port, { more });
    await second.logged("registered");
    assert.equal(controller.enrolments.length, 1);
  });

  it("sends its token to nobody who is not its controller, says who is there, and waits for the right one", async (test) => {
    const impostor = await aTlsController(test, another);
    const { port } = impostor;
    const agent = await start(test, port);
    const line = await agent.logged("could not get a certificate; retrying");
    assert.match(JSON.stringify(line["err"]), /is not the controller that booted this node.*told to believe/);
    assert.deepEqual(impostor.enrolments, []);
    // Before it has a certificate, it hears nobody.
    const knocking = createConnection(agent.port, "127.0.0.1");
    const [error] = await new Promise<Error[]>((resolve) => knocking.once("error", (reset) => resolve([reset])));
    assert.match(String(error), /ECONNRESET/);
  });

  it("takes no other name for its controller's, though its authority has signed it", async (test) => {
    const impostor = await aTlsController(test, authority, { uri: "pallet://node/b8-27-eb-00-00-02/resident" });
    const agent = await start(test, impostor.port);
    const line = await agent.logged("could not get a certificate; retrying");
    assert.match(JSON.stringify(line["err"]), /shows the certificate of the resident agent of node b8:27:eb:00:00:02/);
    assert.deepEqual(impostor.enrolments, []);
  });

  it("learns of a new authority and gets a certificate of it, without a hand and without a token", async (test) => {
    const controller = await aTlsController(test, authority);
    const agent = await start(test, controller.port);
    await agent.logged("registered");
    controller.tokens.clear();
    controller.authorities = [another, authority];
    await agent.logged("the controller has other certificate authorities now");
    await until(() => controller.enrolments.length === 2, "it does not enrol again");
    assert.equal(controller.enrolments[1]?.token, "");
    await until(
      () => agent.log.filter(({ msg }) => msg === "got a certificate").length === 2,
      "it gets no other certificate",
    );
    const bootId = await readBootId();
    assert.equal(await callAs(agent.port, another.issue("pallet://controller"), another), bootId);
    controller.authorities = [another];
    controller.show({ ...pemOf(another.issue("pallet://controller"), another.certificate) });
    await until(
      async () => (await callAs(agent.port, authority.issue("pallet://controller"))) !== bootId,
      "the former authority is believed still",
    );
  });

  it("says why its token is refused", async (test) => {
    const controller = await aTlsController(test, authority);
    const agent = await start(test, controller.port, { token: "used" });
    const line = await agent.logged("could not get a certificate; retrying");
    assert.match(JSON.stringify(line["err"]), /this token was used/);
    assert.deepEqual(controller.registrations, []);
  });

  it("serves on its socket alone when nobody told it whom to believe", async (test) => {
    const controller = await aTlsController(test, authority);
    const agent = await anAgentProcess(test, ["--controller", `127.0.0.1:${controller.port}`, "--node", mac]);
    const line = await agent.logged("could not get a certificate; retrying");
    assert.match(JSON.stringify(line["err"]), /pallet\.ca and pallet\.token/);
    assert.equal(await callAs(agent.port, authority.issue("pallet://controller")), "UNAVAILABLE");
    await ask(agent.client, agent.client.getNode, {}, { timeoutMs: 5_000 });
  });

  it("as a resident goes by what is on its card, and renews it by that alone", async (test) => {
    const file = path.join(await aFolder(test), "agent.pem");
    const own = authority.issue("pallet://node/b8-27-eb-00-00-01/resident", { days: -1 });
    const chain = [own.certificate, authority.certificate].map(String).join("");
    await writeFile(file, `${own.key.export({ type: "pkcs8", format: "pem" })}${chain}`);
    const controller = await aTlsController(test, authority, { days: 90 });
    controller.tokens.clear();
    const more = [
      "--role",
      "resident",
      "--identity-file",
      file,
      "--node",
      mac,
      "--controller",
      `127.0.0.1:${controller.port}`,
    ];
    const agent = await anAgentProcess(test, more);
    await agent.logged("registered");
    assert.equal(controller.enrolments[0]?.token, "");
    assert.deepEqual(controller.callers, ["URI:pallet://node/b8-27-eb-00-00-01/resident"]);
    assert.notEqual(await readFile(file, "utf8").then((text) => text.includes(String(own.certificate))), true);
    assert.ok(!existsSync(`${file}.new`));
  });
});
