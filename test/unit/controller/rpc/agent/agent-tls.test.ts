import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import type { AgentError } from "../../../../../controller/agents/agent-error.ts";
import type { MeantAgent } from "../../../../../controller/agents/agent-port.ts";
import type { Authority } from "../../../../../controller/identity/authority.ts";
import { createPeerJudge } from "../../../../../controller/identity/peer-judge.ts";
import { createAgentConnector } from "../../../../../controller/rpc/agent/agent-client.ts";
import { type AgentTls, createAgentTls } from "../../../../../controller/rpc/agent/agent-tls.ts";
import { type Leaf, listenTls } from "../../../../../controller/tls/tls-listener.ts";
import { AgentServiceService } from "../../../../../proto/gen/pallet/v1/agent.ts";
import { type Identity, renderIdentity } from "../../../../../proto/identity/identity.ts";
import { judgePeer } from "../../../../../proto/identity/judge-peer.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import { anAuthority, credentialOf } from "../../identity/an-authority.ts";

const nodeId = "b8:27:eb:00:00:01" as NodeId;
const other = "b8:27:eb:00:00:02" as NodeId;
type Test = { after(end: () => void): void };

/** How a controller connects whose clock is so many milliseconds ahead. */
const tlsOf = (authority: Authority, aheadMs = 0): AgentTls =>
  createAgentTls({ authority, judge: createPeerJudge({ authority, clock: { now: () => Date.now() + aheadMs } }) });

/** Something that listens as an agent does, shows this certificate, and notes what callers show. */
async function serveAgent(t: Test, leaf: Leaf, authority: Authority): Promise<{ port: number; callers: string[] }> {
  const server = new Server();
  server.addService(AgentServiceService, {
    cancelOperation: (_: unknown, done: (error: null, answer: object) => void) => done(null, {}),
  });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const callers: string[] = [];
  const listener = await listenTls({
    ...{ address: "127.0.0.1", port: 0, protocol: "h2", identity: { leafFor: () => leaf } },
    secured(socket) {
      const verdict = judgePeer(socket.getPeerX509Certificate(), authority.trusted().slice(-1), Date.now(), "client");
      callers.push(verdict.kind === "known" ? renderIdentity(verdict.identity) : verdict.kind);
      injector.injectConnection(socket);
    },
  });
  t.after(() => {
    listener.close();
    server.forceShutdown();
  });
  return { port: listener.port, callers };
}

/** How a call ends that is meant for this agent. */
async function ask(
  t: Test,
  port: number,
  tls: AgentTls,
  meant: MeantAgent = { nodeId, bootId: "boot-1" },
): Promise<string> {
  const agent = createAgentConnector({ credentials: credentials.createInsecure(), tls }).connect(
    { address: "127.0.0.1", port },
    meant,
  );
  t.after(() => agent.close());
  return agent.cancelOperation("any" as never).then(
    () => "answered",
    (error: AgentError) => `${error.kind}: ${error.message}`,
  );
}

test("an agent is asked when its certificate names the node and the boot that are meant", async (t) => {
  const authority = await anAuthority();
  const tls = tlsOf(authority);
  const netboot: Identity = { kind: "netboot", nodeId, bootId: "boot-1" };
  const rows: readonly (readonly [Exclude<Identity, { kind: "controller" }>, MeantAgent, RegExp])[] = [
    [netboot, { nodeId, bootId: "boot-1" }, /^failed: operation is missing/],
    [netboot, { nodeId }, /^failed: operation is missing/],
    [{ kind: "resident", nodeId }, { nodeId, bootId: "boot-1" }, /^failed: operation is missing/],
    [
      netboot,
      { nodeId, bootId: "boot-2" },
      /^unreachable: .*what listens there is the agent of node b8:27:eb:00:00:01, boot boot-1, by its/,
    ],
    [netboot, { nodeId: other, bootId: "boot-1" }, /^unreachable: .* is the agent of node b8:27:eb:00:00:01, boot/],
    [
      { kind: "resident", nodeId: other },
      { nodeId },
      /^unreachable: .* is the resident agent of node b8:27:eb:00:00:02, by/,
    ],
    [{ kind: "operator", name: "ann" }, {}, /^unreachable: .* shows a certificate that is not meant for a server/],
  ];
  for (const [identity, meant, outcome] of rows) {
    const agent = await serveAgent(t, credentialOf(authority, identity), authority);
    assert.match(await ask(t, agent.port, tls, meant), outcome);
  }
  const late = tlsOf(authority, 365 * 86_400_000);
  const agent = await serveAgent(t, credentialOf(authority, netboot), authority);
  assert.match(await ask(t, agent.port, late), /^unreachable: .* shows a certificate that expired 20/);
});

test("what shows a stranger's certificate, or speaks no TLS, is asked nothing, and it is said what is there", async (t) => {
  const [authority, strange] = [await anAuthority(), await anAuthority()];
  const tls = tlsOf(authority);
  const agent = await serveAgent(t, credentialOf(strange, { kind: "netboot", nodeId, bootId: "boot-1" }), authority);
  assert.match(
    await ask(t, agent.port, tls),
    /^unreachable: .* what listens there shows a certificate that is signed by no authority that is known here/,
  );
  const plain = createServer((socket) => socket.on("error", () => undefined).write("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await new Promise<void>((resolve) => void plain.listen(0, "127.0.0.1", resolve));
  t.after(() => plain.close());
  const { port } = plain.address() as { port: number };
  assert.match(await ask(t, port, tls), /^unreachable: .* what listens there speaks no TLS/);
});

test("an agent that believes a former authority is shown the controller's certificate by it, once that is known", async (t) => {
  const authority = await anAuthority();
  const agent = await serveAgent(t, credentialOf(authority, { kind: "netboot", nodeId, bootId: "boot-1" }), authority);
  const former = authority.current().fingerprint;
  await authority.rotate();
  const tls = tlsOf(authority);
  await ask(t, agent.port, tls);
  assert.deepEqual(agent.callers.splice(0), ["stranger"]);
  await ask(t, agent.port, tls);
  assert.deepEqual(agent.callers.splice(0), ["pallet://controller"]);
  const told = tlsOf(authority);
  told.noteAuthority(nodeId, former);
  await ask(t, agent.port, told);
  assert.deepEqual(agent.callers, ["pallet://controller"]);
});
