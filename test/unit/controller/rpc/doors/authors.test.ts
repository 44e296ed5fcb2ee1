import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { createConnection } from "node:net";
import { userInfo } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { EventType } from "../../../../../controller/events/event.ts";
import type { RolloutId } from "../../../../../controller/reimage/plan/rollout.ts";
import * as wire from "../../../../../proto/gen/pallet/v1/controller.ts";
import { RegisterRequest } from "../../../../../proto/gen/pallet/v1/enrollment.ts";
import { EventAuthorKind } from "../../../../../proto/gen/pallet/v1/event.ts";
import { AgentRole } from "../../../../../proto/gen/pallet/v1/node.ts";
import { createKey, createRequest } from "../../../../../proto/identity/certificate-request.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import type { ReportedOperation } from "../../../../../proto/operation/operation.ts";
import { noProgress } from "../../../../../proto/operation/progress.ts";
import { disk } from "../../reimage/fakes/fake-disk.ts";
import { createFakeRack, image } from "../../reimage/fakes/fake-rack.ts";
import { ask, type ServedController, serveController } from "../served-controller.ts";

type Method = keyof typeof wire.ControllerServiceService;

const mac = "b8:27:eb:00:00:01" as NodeId;
const nobody = 65_534;
const operation: ReportedOperation = {
  id: "x" as ReportedOperation["id"],
  spec: { kind: "identify", durationMs: 1000 },
  state: "running",
  progress: noProgress,
  startedAt: 1,
};

/** What an operator's RPC records when it changes something; null: it changes nothing. Every RPC has a row. */
const rows: Readonly<Record<Method, null | readonly [EventType, (served: ServedController) => Promise<unknown>]>> = {
  getStatus: null,
  listNodes: null,
  selectNodes: null,
  getNode: null,
  listNodeDisks: null,
  getBoardReport: null,
  listImages: null,
  getImage: null,
  listRoots: null,
  planRollout: null,
  listProfiles: null,
  checkProfiles: null,
  renderNodeConfig: null,
  watchRollout: null,
  listRollouts: null,
  streamEvents: null,
  streamNodeLogs: null,
  listOperators: null,
  getAuthorities: null,
  takeBackup: null,
  reportBackup: [
    "backup-taken",
    (served) => ask(served.client, served.client.reportBackup, { id: "b", path: "/b", sizeBytes: 1n, failure: "" }),
  ],
  addOperator: ["operator-added", (served) => addOperator(served)],
  revokeOperator: [
    "operator-revoked",
    async (served) => {
      await addOperator(served);
      return ask(served.client, served.client.revokeOperator, { name: "ada" });
    },
  ],
  rotateAuthority: ["authority-rotated", ({ client }) => ask(client, client.rotateAuthority, {})],
  retireAuthority: [
    "authority-retired",
    async ({ client }) => {
      const { authorities } = await ask(client, client.getAuthorities, {});
      await ask(client, client.rotateAuthority, {});
      return ask(client, client.retireAuthority, { id: authorities[0]?.id ?? "", force: false });
    },
  ],
  renameNode: ["node-renamed", ({ client }) => ask(client, client.renameNode, { node: mac, name: "rack-1" })],
  acceptNodes: [
    "node-accepted",
    ({ client }) => ask(client, client.acceptNodes, wire.AcceptNodesRequest.fromPartial({ nodes: [mac] })),
  ],
  labelNodes: [
    "node-labelled",
    ({ client }) =>
      ask(
        client,
        client.labelNodes,
        wire.LabelNodesRequest.fromPartial({ selector: { nodes: [mac] }, set: [{ key: "shelf", value: "2" }] }),
      ),
  ],
  forgetNode: ["node-forgotten", ({ client }) => ask(client, client.forgetNode, { node: mac, force: true })],
  setBootTarget: [
    "boot-target-changed",
    (served) => {
      served.nodes.accept(mac);
      served.images.set(image.name, image);
      const { client } = served;
      return ask(
        client,
        client.setBootTarget,
        wire.SetBootTargetRequest.fromPartial({ node: mac, bootTarget: 2, imageName: image.name, force: true }),
      );
    },
  ],
  runNodeOperation: [
    "node-operation-started",
    async (served) => {
      await online(served);
      served.parts.agent = { ...served.parts.agent, startOperation: async () => operation, async *watchOperation() {} };
      const value = { $case: "identify", value: { duration: { seconds: 1n, nanos: 0 } } } as const;
      const request = wire.RunNodeOperationRequest.fromPartial({ node: mac, spec: { work: value } });
      await served.client.runNodeOperation(request).toArray();
    },
  ],
  rebootNode: [
    "node-rebooted",
    async (served) => {
      await online(served);
      served.parts.agent = { ...served.parts.agent, reboot: async () => undefined };
      return ask(served.client, served.client.rebootNode, { node: mac });
    },
  ],
  retryTasks: [
    "tasks-retried",
    async (served) => {
      await online(served);
      const { client, enrollment } = served;
      const { agent, ...registration } = registrationOf(mac);
      const resident = { role: AgentRole.AGENT_ROLE_RESIDENT, capabilities: ["tasks"] };
      const tasks = { configDigest: "", tasks: [], problem: "" };
      await ask(enrollment, enrollment.register, { ...registration, agent: agent && { ...agent, ...resident, tasks } });
      served.parts.agent = { ...served.parts.agent, retryTasks: async () => undefined };
      return ask(client, client.retryTasks, { node: mac });
    },
  ],
  addImage: [
    "image-added",
    async ({ parts, client }) => {
      parts.images.add = async () => image;
      const call = client.addImage();
      call.end({ part: { $case: "header", value: wire.AddImageHeader.fromPartial({ name: "debian-12" }) } });
      await call.toArray();
    },
  ],
  deriveImage: [
    "image-added",
    async ({ parts, client }) => {
      parts.derive = async () => ({ image, from: image.name, gain: { writeBytes: 0, fetchBytes: 0 }, notes: [] });
      const call = client.deriveImage();
      const value = wire.DeriveImageHeader.fromPartial({ name: "debian-13", from: "debian-12" });
      call.end({ part: { $case: "header", value } });
      await call.toArray();
    },
  ],
  captureImage: [
    "image-added",
    async (served) => {
      const { parts, client } = served;
      await online(served);
      parts.captureDisk = async () => ({ image, sums: { readBytes: 0, skippedBytes: 0, notes: [] } });
      const { getNode = assert.fail } = parts.agent;
      served.parts.agent = {
        async getNode() {
          const { facts, agent } = await getNode();
          return { facts, agent: { ...agent, capabilities: ["read-disk"] } };
        },
        listBlockDevices: async () => [disk()],
        readDisk: async () => ({ sizeBytes: 0, read: async function* () {}, close: () => undefined }),
      };
      const request = { name: "golden", node: mac, disk: "", generalise: false };
      await client.captureImage(request).toArray();
    },
  ],
  removeImage: [
    "image-removed",
    (served) => {
      served.images.set(image.name, image);
      return ask(served.client, served.client.removeImage, { name: image.name });
    },
  ],
  removeRoot: [
    "root-removed",
    ({ client, parts }) => {
      parts.removeRoot = async () => undefined;
      return ask(client, client.removeRoot, { id: "20260101-000000", force: false });
    },
  ],
  startRollout: ["rollout-started", (served) => startRollout(served)],
  cancelRollout: [
    "rollout-cancelled",
    async (served) => {
      await startRollout(served);
      await ask(served.client, served.client.cancelRollout, { rolloutId: "r1" });
    },
  ],
};

function addOperator({ client }: ServedController): Promise<unknown> {
  const csrDer = Buffer.from(createRequest(createKey()));
  return ask(client, client.addOperator, { name: "ada", role: 1, csrDer, validFor: undefined });
}

/** Real rollouts, of machines that are not there. */
function startRollout({ parts, events, client }: ServedController): Promise<unknown> {
  const rack = createFakeRack(1);
  rack.onEvent = (event) => void events.append(event);
  Object.assign(parts.rollouts, rack.rollouts());
  const rollout = wire.RolloutRequest.fromPartial({ nodes: ["pi-1"], imageName: image.name });
  return ask(client, client.startRollout, { rolloutId: "r1" as RolloutId, rollout });
}

const registrationOf = (bootMac: string): RegisterRequest =>
  RegisterRequest.fromPartial({
    bootMac,
    facts: { bootId: "boot-1", interfaces: [{ name: "eth0", mac: bootMac }] },
    agent: { role: 1, instanceId: "i", port: 7710 },
  });

/** Has the node's agent register, and answer. */
async function online({ enrollment, nodes, parts }: ServedController): Promise<void> {
  await ask(enrollment, enrollment.register, registrationOf(mac));
  nodes.accept(mac);
  parts.agent = {
    async getNode() {
      const { facts = assert.fail(), agent = assert.fail() } = nodes.require(mac);
      return { facts, agent };
    },
  };
}

describe("the author of a change", () => {
  let served: ServedController;
  beforeEach(async () => {
    served = await serveController();
    served.nodes.discover(mac, "10.0.0.7");
  });
  afterEach(() => served.close());

  const authorOf = (type: EventType) => {
    const event = [...served.events.list()].find((candidate) => candidate.type === type);
    assert.ok(event, `no event ${type}`);
    return { by: event.by, from: event.from };
  };

  it("has a row here for every operator's RPC", () => {
    assert.deepEqual(Object.keys(rows).sort(), Object.keys(wire.ControllerServiceService).sort());
  });

  const { uid, username: name } = userInfo();
  for (const [method, row] of Object.entries(rows)) {
    if (row === null) continue;
    const [type, call] = row;
    it(`is the user at the socket, who called ${method}`, async () => {
      await call(served);
      assert.deepEqual(authorOf(type), { by: { kind: "socket-user", uid, name }, from: undefined });
    });
  }

  it("is the user whom the kernel names, of several that are connected at once", { skip: uid !== 0 }, async () => {
    chmodSync(path.dirname(served.socket), 0o755);
    chmodSync(served.socket, 0o666);
    const another = connectAs(nobody, served.socket);
    await ask(served.client, served.client.acceptNodes, wire.AcceptNodesRequest.fromPartial({ nodes: [mac] }));
    await rename(another, "rack-2");
    await ask(
      served.client,
      served.client.setBootTarget,
      wire.SetBootTargetRequest.fromPartial({ node: mac, bootTarget: 1 }),
    );
    another.close();
    assert.deepEqual(authorOf("node-renamed"), {
      by: { kind: "socket-user", uid: nobody, name: "nobody" },
      from: undefined,
    });
    assert.deepEqual(authorOf("node-accepted"), { by: { kind: "socket-user", uid, name }, from: undefined });
  });

  it("is nobody known for who comes over the network, and his address is kept", async () => {
    await ask(served.enrollment, served.enrollment.register, registrationOf("b8:27:eb:00:00:02"));
    assert.deepEqual(authorOf("node-registered"), { by: { kind: "anonymous" }, from: "127.0.0.1" });
  });

  it("is what events are asked for by", async () => {
    await ask(served.client, served.client.acceptNodes, wire.AcceptNodesRequest.fromPartial({ nodes: [mac] }));
    const typesBy = async (by: string) => {
      const request = wire.StreamEventsRequest.fromPartial({ by });
      const answers = await served.client.streamEvents(request).toArray();
      return answers.map(({ event }: wire.StreamEventsResponse) => event?.type);
    };
    assert.deepEqual(await typesBy(name), ["node-accepted"]);
    assert.deepEqual(await typesBy(String(uid)), ["node-accepted"]);
    assert.deepEqual(await typesBy("socket-user"), ["node-accepted"]);
    assert.deepEqual(await typesBy("controller"), ["node-discovered"]);
    assert.deepEqual(await typesBy("somebody"), []);
    const [answer] = await served.client.streamEvents(wire.StreamEventsRequest.fromPartial({ by: name })).toArray();
    const kind = EventAuthorKind.EVENT_AUTHOR_KIND_SOCKET_USER;
    assert.deepEqual(answer.event?.by, { kind, name, uid });
  });
});

/** An HTTP/2 session whose socket was connected by another user. */
function connectAs(uid: number, socket: string): ReturnType<typeof connectHttp2> {
  // connect(2) of a unix socket is done when createConnection returns; the kernel notes who does it.
  process.seteuid?.(uid);
  try {
    const connection = createConnection(socket);
    return connectHttp2("http://localhost", { createConnection: () => connection });
  } finally {
    process.seteuid?.(0);
  }
}

/** RenameNode as it travels: one gRPC message in one HTTP/2 stream. */
async function rename(session: ReturnType<typeof connectHttp2>, name: string): Promise<void> {
  const message = wire.RenameNodeRequest.encode({ node: mac, name }).finish();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  const stream = session.request({
    ":method": "POST",
    ":path": "/pallet.v1.ControllerService/RenameNode",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.end(Buffer.concat([prefix, message]));
  stream.resume();
  const [trailers] = await once(stream, "trailers");
  assert.equal(trailers["grpc-status"], "0");
  await once(stream, "close");
}
