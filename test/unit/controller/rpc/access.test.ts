import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { after, before, describe, it } from "node:test";
import { connect as connectTls, createSecureContext } from "node:tls";
import { ChannelCredentials, credentials, type ServiceError, status } from "@grpc/grpc-js";
import type { Authority, Credential } from "../../../../controller/identity/authority.ts";
import * as wire from "../../../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceClient, RegisterRequest } from "../../../../proto/gen/pallet/v1/enrollment.ts";
import { AgentRole } from "../../../../proto/gen/pallet/v1/node.ts";
import { fingerprintOf } from "../../../../proto/identity/authority-name.ts";
import { createKey, createRequest } from "../../../../proto/identity/certificate-request.ts";
import { derToPem } from "../../../../proto/identity/pem.ts";
import { limits } from "../../../../proto/limits.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { OperatorRole } from "../../../../proto/words/operator-role.ts";
import { until } from "../../../until.ts";
import { credentialOf } from "../identity/an-authority.ts";
import { ask, type ServedController, serveController } from "./served-controller.ts";

const nodeId = "b8:27:eb:00:00:01" as NodeId;

/** An introduction of the agent of this node and boot. */
const introduction = (
  bootMac: string,
  bootId: string,
  role: AgentRole = AgentRole.AGENT_ROLE_NETBOOT,
): RegisterRequest =>
  RegisterRequest.fromPartial({
    bootMac,
    facts: { bootId, interfaces: [{ name: "eth0", mac: bootMac }] },
    agent: { role, instanceId: `run-of-${bootId}`, port: 7710 },
  });

/** "OK", or the status and the message of the refusal. */
const outcomeOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => "OK",
    (error: ServiceError) => `${status[error.code]}: ${error.details}`,
  );

describe("who calls over TLS", () => {
  let served: ServedController;
  const opened: { close(): void }[] = [];
  before(async () => {
    served = await serveController({ insecure: false });
  });
  after(async () => {
    for (const client of opened) client.close();
    await served.close();
  });

  const channelOf = (credential?: Credential): [string, ChannelCredentials] => {
    const { certificate } = served.identity.authority.current();
    const ca = derToPem(certificate.raw, "CERTIFICATE");
    const context = createSecureContext({ ca, ...credential, minVersion: "TLSv1.3" });
    const checks = { checkServerIdentity: () => undefined };
    return [`127.0.0.1:${served.tcpPort}`, ChannelCredentials.createFromSecureContext(context, checks)];
  };
  const keep = <Client extends { close(): void }>(client: Client): Client => {
    opened.push(client);
    return client;
  };
  const controllerFor = (credential?: Credential): wire.ControllerServiceClient =>
    keep(new wire.ControllerServiceClient(...channelOf(credential)));
  const enrollmentFor = (credential?: Credential): EnrollmentServiceClient =>
    keep(new EnrollmentServiceClient(...channelOf(credential)));
  const agentOf = (identity: Parameters<typeof credentialOf>[1]): Credential =>
    credentialOf(served.identity.authority as Authority, identity);

  /** A HTTP/2 connection of which gRPC's own client, that keeps to the limits, would make less. */
  const connectHttp2 = (credential?: Credential, localAddress = "127.0.0.1"): ClientHttp2Session => {
    const { certificate } = served.identity.authority.current();
    const ca = derToPem(certificate.raw, "CERTIFICATE");
    const door = { ca, ...credential, checkServerIdentity: () => undefined };
    const place = { host: "127.0.0.1", port: served.tcpPort, localAddress };
    const createConnection = () =>
      connectTls({ ...place, ALPNProtocols: ["h2"], ...door }).on("error", () => undefined);
    const session = connect(`https://127.0.0.1:${served.tcpPort}`, { createConnection });
    session.on("error", () => undefined);
    return keep(Object.assign(session, { close: () => session.destroy() }));
  };

  /** What a message that claims to have so many bytes is answered with once the first of them has come. */
  const statusOfHalfSent = async (session: ClientHttp2Session, bytes: number): Promise<number> => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      ...{ "content-type": "application/grpc", te: "trailers" },
    });
    const head = Buffer.alloc(6);
    head.writeUInt32BE(bytes, 1);
    stream.write(head);
    const [headers] = (await once(stream, "response")) as [Record<string, string>];
    stream.destroy();
    return Number(headers["grpc-status"]);
  };

  function addOperator(name: string, role: OperatorRole): Credential {
    const key = createKey();
    const { certificate } = served.identity.operators.add({ name, role, csr: createRequest(key) });
    return {
      key: derToPem(key.export({ type: "pkcs8", format: "der" }), "PRIVATE KEY"),
      cert: derToPem(certificate, "CERTIFICATE"),
    };
  }

  it("may enrol without a certificate, and nothing else", async () => {
    const [controller, enrollment] = [controllerFor(), enrollmentFor()];
    assert.match(
      await outcomeOf(ask(controller, controller.listNodes, {})),
      /^UNAUTHENTICATED: ListNodes needs a certificate: .*as an operator \(--server, --bundle\)/,
    );
    assert.match(
      await outcomeOf(ask(enrollment, enrollment.register, introduction(nodeId, "boot-1"))),
      /^UNAUTHENTICATED: Register needs a certificate/,
    );
    assert.match(
      await outcomeOf(Array.fromAsync(controller.streamEvents(wire.StreamEventsRequest.fromPartial({})))),
      /^UNAUTHENTICATED: StreamEvents/,
    );
    const upload = controller.addImage();
    upload.write({ part: { $case: "chunk", value: Buffer.alloc(100_000) } });
    assert.match(await outcomeOf(Array.fromAsync(upload)), /^UNAUTHENTICATED: AddImage/);
  });

  it("speaks for its own node and boot, as an agent, and never as an operator", async () => {
    const credential = agentOf({ kind: "netboot", nodeId, bootId: "boot-1" });
    const [controller, enrollment] = [controllerFor(credential), enrollmentFor(credential)];
    const register = (...given: Parameters<typeof introduction>): Promise<string> =>
      outcomeOf(ask(enrollment, enrollment.register, introduction(...given)));
    assert.equal(await register(nodeId, "boot-1"), "OK");
    const { caCertificates } = await ask(enrollment, enrollment.register, introduction(nodeId, "boot-1"));
    assert.deepEqual(caCertificates.map(fingerprintOf), [served.identity.authority.current().fingerprint]);
    assert.match(
      await register("b8:27:eb:00:00:02", "boot-1"),
      /^PERMISSION_DENIED: the agent of node b8:27:eb:00:00:01, boot boot-1 does not speak for node b8:27:eb:00:00:02/,
    );
    assert.match(await register(nodeId, "boot-2"), /^PERMISSION_DENIED: .* boot boot-2$/);
    assert.match(
      await register(nodeId, "boot-1", AgentRole.AGENT_ROLE_RESIDENT),
      /^PERMISSION_DENIED: .* role resident/,
    );
    const others = { bootMac: "b8:27:eb:00:00:02", instanceId: "run-of-boot-1" };
    assert.match(await outcomeOf(ask(enrollment, enrollment.heartbeat, others)), /^PERMISSION_DENIED/);
    const report = { ...others, records: [], droppedCount: 0n };
    assert.match(await outcomeOf(ask(enrollment, enrollment.reportLogs, report)), /^PERMISSION_DENIED/);
    assert.match(
      await outcomeOf(ask(controller, controller.listNodes, {})),
      /^PERMISSION_DENIED: ListNodes is not for the agent of node b8:27:eb:00:00:01/,
    );
    const resident = enrollmentFor(agentOf({ kind: "resident", nodeId }));
    assert.match(
      await outcomeOf(ask(resident, resident.enrollResident, { csrDer: Buffer.alloc(0) })),
      /^PERMISSION_DENIED: EnrollResident is not for the resident agent/,
    );
  });

  it("may what his role allows, as an operator, and what he does is in his name", async () => {
    const [viewer, operator] = [
      controllerFor(addOperator("vera", "viewer")),
      controllerFor(addOperator("otto", "operator")),
    ];
    const rename = { node: nodeId, name: "first" };
    assert.equal(await outcomeOf(ask(viewer, viewer.listNodes, {})), "OK");
    assert.match(
      await outcomeOf(ask(viewer, viewer.renameNode, rename)),
      /^PERMISSION_DENIED: RenameNode is not for operator vera, whose role is viewer$/,
    );
    assert.equal(await outcomeOf(ask(operator, operator.renameNode, rename)), "OK");
    const renamed = (await Array.fromAsync(served.events.list({}))).at(-1);
    assert.deepEqual(renamed?.by, { kind: "operator", name: "otto", role: "operator" });
    assert.match(
      await outcomeOf(ask(operator, operator.revokeOperator, { name: "vera" })),
      /^PERMISSION_DENIED: RevokeOperator is not for operator otto/,
    );
  });

  it("has fewer calls and smaller messages at once, the less he has proved", async () => {
    const agent = agentOf({ kind: "netboot", nodeId, bootId: "boot-1" });
    for (const [credential, streams, takes] of [
      [undefined, limits.grpc.strangersStreams.most, limits.grpc.nodeRequestBytes.most],
      [agent, limits.grpc.nodeStreams.most, limits.grpc.messageBytes.most],
      [addOperator("zoe", "admin"), limits.grpc.streamsPerConnection.most, limits.grpc.messageBytes.most],
    ] as const) {
      const session = connectHttp2(credential);
      await once(session, "remoteSettings");
      assert.equal(session.remoteSettings.maxConcurrentStreams, streams);
      assert.equal(await statusOfHalfSent(session, takes + 1), status.RESOURCE_EXHAUSTED);
      session.destroy();
    }
  });

  it("has so many connections as a node, and the oldest makes room", async () => {
    const agent = agentOf({ kind: "resident", nodeId });
    const most = limits.grpc.connectionsPerNode.most;
    const sessions: ClientHttp2Session[] = [];
    for (let count = 0; count <= most; count += 1) {
      const session = connectHttp2(agent);
      await once(session, "remoteSettings");
      sessions.push(session);
    }
    const [first, ...others] = sessions;
    assert.ok(first !== undefined);
    if (!first.closed) await once(first, "close");
    assert.ok(others.every(({ closed }) => !closed));
    for (const session of others) session.destroy();
  });

  it("has few connections as a stranger, who keeps nobody else out", async () => {
    const most = limits.tls.strangersPerAddress.most;
    const strangers = Array.from({ length: most + 4 }, () => connectHttp2(undefined, "127.0.0.2"));
    const gone = (): number => strangers.filter(({ destroyed }) => destroyed).length;
    await until(
      () => gone() === 4,
      () => `${gone()} are closed`,
    );
    const others = [connectHttp2(agentOf({ kind: "resident", nodeId })), connectHttp2(addOperator("nora", "viewer"))];
    for (const session of others) await once(session, "remoteSettings");
    assert.equal(gone(), 4);
    for (const session of [...others, ...strangers]) session.destroy();
  });

  it("is shut out at once when he is revoked: his streams end, and his next call is refused", async () => {
    const client = controllerFor(addOperator("rob", "admin"));
    const stream = client.streamEvents(wire.StreamEventsRequest.fromPartial({ follow: true }));
    const ended = outcomeOf(Array.fromAsync(stream));
    await outcomeOf(ask(client, client.listNodes, {}));
    served.identity.operators.revoke("rob");
    assert.match(await ended, /^UNAUTHENTICATED: the certificate of operator rob does not count any more$/);
    assert.match(
      await outcomeOf(ask(client, client.listNodes, {})),
      /^UNAUTHENTICATED: the certificate of operator rob does not count any more: it was revoked or replaced$/,
    );
  });

  it("is told to speak TLS, without it: an agent as one that is older than that", async () => {
    const older = "b8:27:eb:00:00:03" as NodeId;
    served.nodes.discover(older, "10.0.0.3");
    const target = `127.0.0.1:${served.tcpPort}`;
    const enrollment = keep(new EnrollmentServiceClient(target, credentials.createInsecure()));
    assert.match(
      await outcomeOf(ask(enrollment, enrollment.register, introduction(older, "boot-1"))),
      /^FAILED_PRECONDITION: this controller speaks TLS only, and this agent is older than that: .*"controller boot NODE agent"/,
    );
    const refusals = (await Array.fromAsync(served.events.list({}))).filter(
      ({ type }) => type === "registration-refused",
    );
    assert.match(refusals.at(-1)?.message ?? "", /this controller speaks TLS only/);
    const controller = keep(new wire.ControllerServiceClient(target, credentials.createInsecure()));
    assert.match(
      await outcomeOf(ask(controller, controller.listNodes, {})),
      /^PERMISSION_DENIED: this controller asks operators for a certificate: give --bundle FILE/,
    );
  });
});
