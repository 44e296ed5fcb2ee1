import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { afterEach, beforeEach, describe, it } from "node:test";
import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import { AgentError } from "../../../../../controller/agents/agent-error.ts";
import type { AgentPort } from "../../../../../controller/agents/agent-port.ts";
import { type Image, rootPartitionOf } from "../../../../../controller/images/catalogue/image.ts";
import type { Rollout, RolloutId } from "../../../../../controller/reimage/plan/rollout.ts";
import { Failure } from "../../../../../proto/failure.ts";
import * as wire from "../../../../../proto/gen/pallet/v1/controller.ts";
import { HeartbeatRequest, RegisterRequest } from "../../../../../proto/gen/pallet/v1/enrollment.ts";
import { FilesystemType, OperationState } from "../../../../../proto/gen/pallet/v1/operation.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import type { ReportedOperation } from "../../../../../proto/operation/operation.ts";
import { noProgress } from "../../../../../proto/operation/progress.ts";
import { aDevice } from "../../../proto/disk/a-device.ts";
import { image } from "../../reimage/fakes/fake-rack.ts";
import { ask, failureOf, type ServedController, serveController } from "../served-controller.ts";

const mac = "b8:27:eb:00:00:01" as NodeId;
const rolloutId = "r1" as RolloutId;
const rollout: Rollout = {
  id: rolloutId,
  imageName: "debian-12",
  imageDigest: image.digest,
  state: "running",
  reimages: [],
  startedAt: 5,
};
const registration = RegisterRequest.fromPartial({
  bootMac: mac,
  facts: { bootId: "boot-1", serial: "ff01", interfaces: [{ name: "eth0", mac }] },
  agent: { role: 1, instanceId: "i", port: 7710 },
});
const operation: ReportedOperation = {
  id: "x" as ReportedOperation["id"],
  spec: { kind: "wipe", device: "/dev/mmcblk0", method: "signatures" },
  state: "running",
  progress: { ...noProgress, phase: "wiping" },
  startedAt: 1,
};
const wipe = { $case: "wipe", value: { device: "/dev/mmcblk0", method: 2 } } as const;

describe("doors", () => {
  let served: ServedController;
  beforeEach(async () => {
    served = await serveController();
  });
  afterEach(() => served.close());

  /** Asserts that the call is refused with this code, and that the reason travels with it. */
  const refuses = async (call: Promise<unknown>, code: status, message: RegExp): Promise<void> => {
    await assert.rejects(call, (error: ServiceError) => {
      assert.equal(status[error.code], status[code], error.details);
      assert.match(error.details, message);
      assert.equal(failureOf(error).message, error.details);
      return true;
    });
  };
  const register = (): Promise<unknown> => ask(served.enrollment, served.enrollment.register, registration);
  const registerAccepted = async (): Promise<void> => {
    await register();
    served.nodes.accept(mac);
  };
  const nodeNamed = async (node: string): Promise<wire.Node> => {
    const answer = await ask(served.client, served.client.getNode, { node });
    assert.ok(answer.node);
    return answer.node;
  };

  describe("enrollment", () => {
    it("registers an agent at the address that it calls from", async () => {
      const answer = await register();
      assert.deepEqual(answer, {
        name: "node-000001",
        heartbeatInterval: { seconds: 10n, nanos: 0 },
        controllers: ["10.0.0.1:7700", "[fd00::1]:7701"],
        // There is no TLS here.
        caCertificates: [],
      });
      const node = await nodeNamed(mac);
      assert.equal(node.address, "127.0.0.1");
      assert.equal(node.online, true);
      assert.equal(node.facts?.bootId, "boot-1");
      assert.deepEqual(node.discoveredAt, new Date(served.clock.now()));
    });

    it("answers heartbeats, and NOT_FOUND to an instance that has to register", async () => {
      const beat = HeartbeatRequest.fromPartial({ bootMac: mac, instanceId: "i", temperatureCelsius: 44 });
      const call = (): Promise<unknown> => ask(served.enrollment, served.enrollment.heartbeat, beat);
      await refuses(call(), status.NOT_FOUND, /register again/);
      await register();
      assert.deepEqual(await call(), { heartbeatInterval: { seconds: 10n, nanos: 0 }, caCertificates: [] });
      assert.equal((await nodeNamed(mac)).facts?.temperatureCelsius, 44);
    });

    it("refuses malformed introductions", async () => {
      const { register: method } = served.enrollment;
      await refuses(
        ask(served.enrollment, method, RegisterRequest.fromPartial({})),
        status.INVALID_ARGUMENT,
        /boot_mac/,
      );
      const foreign = { ...registration, bootMac: "b8:27:eb:00:00:02" };
      await refuses(ask(served.enrollment, method, foreign), status.INVALID_ARGUMENT, /not one of this node's own/);
    });
  });

  describe("a refused introduction", () => {
    const refuse = async (spoiled: object): Promise<void> => {
      const request: RegisterRequest = { ...registration, ...spoiled };
      await assert.rejects(ask(served.enrollment, served.enrollment.register, request));
    };
    const foreign = { name: "eth0", mac: "b8:27:eb:00:00:07", currentMac: "", addresses: [] };
    const facts = registration.facts ?? assert.fail();
    const agent = registration.agent ?? assert.fail();

    const refusals: readonly [string, object, RegExp][] = [
      [
        "of a board whose boot MAC is none of its own",
        { facts: { ...facts, interfaces: [foreign] } },
        /not one of this/,
      ],
      ["of an unknown role", { agent: { ...agent, role: 9 as never } }, /role/],
      ["without facts", { facts: undefined }, /facts is missing/],
      ["without a boot MAC, from the address of the node", { bootMac: "", facts: undefined }, /boot_mac is empty/],
    ];
    for (const [title, spoiled, says] of refusals)
      it(`${title} is shown as the node's until it registers`, async () => {
        served.nodes.discover(mac, "127.0.0.1");
        await refuse(spoiled);
        await refuse(spoiled);
        const [trouble, ...more] = (await nodeNamed(mac)).troubles;
        assert.deepEqual(more, []);
        assert.equal(trouble?.kind, wire.NodeTroubleKind.NODE_TROUBLE_KIND_REGISTRATION_REFUSED);
        assert.match(trouble.message, says);
        assert.equal(trouble.count, 2);
        assert.deepEqual(trouble.since, new Date(served.clock.now()));
        const told = [...served.events.list({ nodeId: mac })].filter(({ type }) => type === "registration-refused");
        assert.equal(told.length, 1);
        await register();
        assert.deepEqual((await nodeNamed(mac)).troubles, []);
      });

    it("of an invented MAC address makes no node", async () => {
      for (let each = 10; each < 40; each++) await refuse({ bootMac: `02:00:00:00:00:${each}` });
      assert.deepEqual(served.nodes.list(), []);
      assert.ok([...served.events.list({})].filter(({ type }) => type === "registration-refused").length <= 20);
    });
  });

  it("registers a board by the MAC address that its hardware has, and by the one that its system has set", async () => {
    const changed = { name: "eth0", mac: "b8:27:eb:00:00:07", currentMac: "b8:27:eb:00:00:08", addresses: [] };
    for (const bootMac of [changed.mac, changed.currentMac]) {
      const facts = { ...(registration.facts ?? assert.fail()), interfaces: [changed] };
      await ask(served.enrollment, served.enrollment.register, { ...registration, bootMac, facts });
      assert.equal((await nodeNamed(bootMac)).facts?.interfaces[0]?.currentMac, changed.currentMac);
    }
  });

  describe("nodes", () => {
    beforeEach(register);

    it("are listed by name, and found by name, MAC address and serial number", async () => {
      served.nodes.discover("b8:27:eb:00:00:00" as NodeId, "10.0.0.9");
      const { nodes } = await ask(served.client, served.client.listNodes, {});
      assert.deepEqual(
        nodes.map((node) => [node.name, node.online, node.facts === undefined]),
        [
          ["node-000000", false, true],
          ["node-000001", true, false],
        ],
      );
      for (const name of ["node-000001", "B827EB000001", "ff01"]) assert.equal((await nodeNamed(name)).nodeId, mac);
      await refuses(nodeNamed("nobody"), status.NOT_FOUND, /there is no node "nobody"/);
    });

    it("are renamed", async () => {
      const rename = (node: string, name: string) => ask(served.client, served.client.renameNode, { node, name });
      assert.equal((await rename(mac, "rack1")).node?.name, "rack1");
      await refuses(rename("nobody", "x"), status.NOT_FOUND, /nobody/);
      await refuses(rename("rack1", "Not a name"), status.INVALID_ARGUMENT, /lower-case/);
      served.nodes.discover("b8:27:eb:00:00:02" as NodeId, "10.0.0.9");
      await refuses(rename("node-000002", "rack1"), status.ALREADY_EXISTS, /another node/);
    });

    it("are accepted all or none", async () => {
      const accept = (nodes: string[], all = false) =>
        ask(served.client, served.client.acceptNodes, wire.AcceptNodesRequest.fromPartial({ nodes, all }));
      await refuses(accept([mac, "nobody"]), status.NOT_FOUND, /nobody/);
      assert.equal((await nodeNamed(mac)).accepted, false);
      await refuses(accept([]), status.INVALID_ARGUMENT, /no node is named/);
      await refuses(accept([mac], true), status.INVALID_ARGUMENT, /not both/);
      assert.deepEqual(
        (await accept([], true)).nodes.map((node) => node.accepted),
        [true],
      );
    });

    it("are forgotten, but not while a reimage runs", async () => {
      const forget = (force = true) => ask(served.client, served.client.forgetNode, { node: mac, force });
      served.active.set(mac, rolloutId);
      await refuses(forget(), status.FAILED_PRECONDITION, /being reimaged by rollout r1.*controller cancel r1/);
      assert.equal((await nodeNamed(mac)).rolloutId, "r1");
      served.active.clear();
      await refuses(
        forget(false),
        status.FAILED_PRECONDITION,
        /is online.*loses its name.*registers again.*next boot goes to the agent; to forget it all the same, give --yes/,
      );
      assert.deepEqual(await forget(), {});
      await refuses(forget(), status.NOT_FOUND, /no node/);
    });

    it("get another boot target", async () => {
      const set = (bootTarget: wire.BootTarget, imageName = "") =>
        ask(served.client, served.client.setBootTarget, { node: mac, bootTarget, imageName, force: false });
      const { BOOT_TARGET_AGENT: agent, BOOT_TARGET_LOCAL: local } = wire.BootTarget;
      await refuses(set(local, "debian-12"), status.FAILED_PRECONDITION, /is pending.*controller node accept node-/);
      await set(agent);
      served.nodes.accept(mac);
      await refuses(set(local), status.FAILED_PRECONDITION, /has not proved any image/);
      await refuses(set(local, "debian-12"), status.NOT_FOUND, /no image "debian-12"/);
      await refuses(set(0), status.INVALID_ARGUMENT, /neither agent nor local/);
      await refuses(set(agent, "debian-12"), status.INVALID_ARGUMENT, /boot target local/);
      served.images.set(image.name, image);
      const { node } = await set(local, "debian-12");
      assert.deepEqual([node?.bootTarget, node?.bootImageDigest], [local, image.digest]);
      served.active.set(mac, rolloutId);
      await refuses(set(agent), status.FAILED_PRECONDITION, /being reimaged/);
    });
  });

  describe("a card that is known to be blank", () => {
    const boot = (force = false, imageName = "debian-12") =>
      ask(served.client, served.client.setBootTarget, {
        ...{ node: mac, bootTarget: wire.BootTarget.BOOT_TARGET_LOCAL, imageName, force },
      });
    beforeEach(async () => {
      await registerAccepted();
      served.images.set(image.name, image);
      served.nodes.setProved(mac, { imageName: "debian-12", imageDigest: image.digest, kind: "resident" });
    });

    it("is not booted after a reimage that did not finish, unless somebody knows better", async () => {
      served.nodes.voidProof(mac, { imageDigest: image.digest, reimageId: "r", resident: true });
      await refuses(
        boot(),
        status.FAILED_PRECONDITION,
        /no system of its own.*controller reimage node-000001.*--force/,
      );
      assert.equal((await boot(true)).warning, "");
      assert.equal((await boot()).node?.bootTarget, wire.BootTarget.BOOT_TARGET_LOCAL);
    });

    it("is booted once it was written: the flip to local says so", async () => {
      served.nodes.voidProof(mac, { imageDigest: image.digest, reimageId: "r", resident: true });
      served.nodes.setBootTarget(mac, { kind: "local", imageDigest: image.digest });
      served.nodes.setBootTarget(mac, { kind: "agent" });
      assert.equal((await boot()).warning, "");
    });

    it("is not booted after it was wiped by hand, with the system's disk, and is after another disk was", async () => {
      const root = rootPartitionOf(image) ?? assert.fail("no root");
      served.nodes.voidProof(mac, { imageDigest: image.digest, reimageId: "r", resident: true });
      served.nodes.setBootTarget(mac, { kind: "local", imageDigest: image.digest });
      served.nodes.setProved(mac, { imageName: "debian-12", imageDigest: image.digest, kind: "resident" });
      const place = { partitionNumber: root.number, startBytes: root.offsetBytes };
      const card = aDevice("mmcblk0", { children: [aDevice("mmcblk0p2", place)] });
      served.parts.agent = {
        getNode: async () => {
          const { facts = assert.fail(), agent = assert.fail() } = served.nodes.require(mac);
          return { facts, agent };
        },
        listBlockDevices: async () => [card, aDevice("sda")],
        startOperation: async () => operation,
        async *watchOperation() {
          yield operation;
        },
        close: () => undefined,
      };
      const wipeDevice = async (device: string): Promise<void> => {
        const spec = { work: { $case: "wipe", value: { device, method: 2 } } } as const;
        for await (const _ of served.client.runNodeOperation({ node: mac, spec })) break;
      };
      await wipeDevice("/dev/sda");
      assert.equal((await boot(false, "")).warning, "");
      await ask(served.client, served.client.setBootTarget, {
        ...{ node: mac, bootTarget: wire.BootTarget.BOOT_TARGET_AGENT, imageName: "", force: false },
      });
      await wipeDevice("/dev/mmcblk0");
      assert.equal((await nodeNamed(mac)).provedImageName, "");
      await refuses(boot(false, ""), status.FAILED_PRECONDITION, /no system of its own/);
      await refuses(boot(), status.FAILED_PRECONDITION, /no system of its own/);
    });
  });

  describe("agents", () => {
    beforeEach(registerAccepted);

    /** What answers at the node's address: the agent that registered, or one in another boot. */
    const answering = (functions: Partial<AgentPort>, bootId = "boot-1"): void => {
      served.parts.agent = {
        getNode: async () => {
          const { facts, agent } = served.nodes.require(mac);
          assert.ok(facts && agent);
          return { facts: { ...facts, bootId }, agent };
        },
        listBlockDevices: async () => [aDevice("mmcblk0")],
        ...functions,
      };
    };

    it("are asked for their disks", async () => {
      const disks = (node: string) => ask(served.client, served.client.listNodeDisks, { node });
      answering({ listBlockDevices: async () => [] });
      assert.deepEqual(await disks(mac), { devices: [] });
      await refuses(disks("nobody"), status.NOT_FOUND, /nobody/);
      answering({
        listBlockDevices: async () => {
          throw new AgentError("unreachable", new Failure("node-silent", "nobody answers"), undefined);
        },
      });
      await refuses(disks(mac), status.UNAVAILABLE, /nobody answers/);
      served.nodes.discover("b8:27:eb:00:00:02" as NodeId, "10.0.0.9");
      await refuses(disks("node-000002"), status.UNAVAILABLE, /no agent on node-000002 has registered/);
    });

    it("are told to reboot out of the boot that they are in", async () => {
      const reboot = () => ask(served.client, served.client.rebootNode, { node: mac });
      const told: string[] = [];
      answering({ reboot: async (bootId) => void told.push(bootId) });
      await reboot();
      assert.deepEqual(told, ["boot-1"]);
      assert.equal([...served.events.list()].at(-1)?.type, "node-rebooted");
      served.active.set(mac, rolloutId);
      await refuses(reboot(), status.FAILED_PRECONDITION, /being reimaged/);
    });

    const run = async (spec: wire.RunNodeOperationRequest["spec"]) => {
      const states: OperationState[] = [];
      const call = served.client.runNodeOperation({ node: mac, spec });
      for await (const message of call) {
        states.push((message as wire.RunNodeOperationResponse).operation?.state ?? 0);
      }
      return states;
    };

    it("are left alone when another machine answers at the node's address", async () => {
      const asked: string[] = [];
      let closed = 0;
      const note = (what: string) => async (): Promise<never> => {
        asked.push(what);
        throw new Error("the wrong machine was asked");
      };
      answering(
        {
          listBlockDevices: note("disks"),
          startOperation: note("operation"),
          reboot: note("reboot"),
          close: () => {
            closed += 1;
          },
        },
        "boot of another machine",
      );
      const another = /the agent at 127\.0\.0\.1 is not the one that registered as node-000001/;
      await refuses(run({ work: wipe }), status.UNAVAILABLE, another);
      await refuses(ask(served.client, served.client.rebootNode, { node: mac }), status.UNAVAILABLE, another);
      await refuses(ask(served.client, served.client.listNodeDisks, { node: mac }), status.UNAVAILABLE, another);
      assert.deepEqual([asked, closed], [[], 3]);
    });

    it("do operations, whose states are passed on", async () => {
      let closed = false;
      answering({
        startOperation: async (id, spec) => ({ ...operation, id, spec }),
        async *watchOperation(id) {
          yield { ...operation, id };
          yield { ...operation, id, state: "failed", failure: new Failure("mounted", "no") };
        },
        close: () => {
          closed = true;
        },
      });
      const { OPERATION_STATE_RUNNING: running, OPERATION_STATE_FAILED: failed } = OperationState;
      assert.deepEqual(await run({ work: wipe }), [running, failed]);
      assert.equal(closed, true);
      assert.match([...served.events.list()].at(-1)?.message ?? "", /wiping \/dev\/mmcblk0/);
    });

    it("are asked to erase no disk that the configuration protects, nor any part of it; unmounting erases nothing", async () => {
      const started: string[] = [];
      answering({
        listBlockDevices: async () => [aDevice("mmcblk0", { serial: "0x5ca3e900", children: [aDevice("mmcblk0p1")] })],
        async startOperation(id, spec) {
          started.push(spec.kind);
          return { ...operation, id, spec };
        },
        async *watchOperation() {},
      });
      const value = { device: "/dev/mmcblk0p1", type: FilesystemType.FILESYSTEM_TYPE_EXT4, label: "" };
      served.parts.protectedDisks = { labels: [], serials: ["0X5CA3E900"] };
      for (const work of [wipe, { $case: "makeFilesystem", value } as const])
        await refuses(run({ work }), status.FAILED_PRECONDITION, /serial number 0x5ca3e900.*disks\.protected\.serials/);
      await run({ work: { $case: "unmount", value: { device: "/dev/mmcblk0" } } });
      assert.deepEqual(started, ["unmount"]);
      served.parts.protectedDisks = { labels: ["data"], serials: [] };
      await run({ work: wipe });
      assert.deepEqual(started, ["unmount", "wipe"]);
    });

    it("may refuse an operation; images are not written this way; nor is anything during a reimage", async () => {
      answering({
        startOperation: async () => {
          throw new AgentError("refused", new Failure("holds-running-root", "the root is on it"), undefined);
        },
      });
      await refuses(run({ work: wipe }), status.FAILED_PRECONDITION, /the root is on it/);
      await refuses(run({ work: undefined }), status.INVALID_ARGUMENT, /work is missing/);
      const write = {
        device: "/dev/mmcblk0",
        source: undefined,
        customisation: undefined,
        full: false,
        growth: undefined,
        ids: undefined,
      };
      await refuses(run({ work: { $case: "writeImage", value: write } }), status.INVALID_ARGUMENT, /only rollouts/);
      served.active.set(mac, rolloutId);
      await refuses(run({ work: wipe }), status.FAILED_PRECONDITION, /being reimaged/);
    });

    it("are let go of when the caller does", async () => {
      const closed = Promise.withResolvers<void>();
      answering({
        startOperation: async (id, spec) => ({ ...operation, id, spec }),
        async *watchOperation(_id, signal) {
          yield operation;
          await new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
        },
        close: closed.resolve,
      });
      const call = served.client.runNodeOperation({ node: mac, spec: { work: wipe } });
      call.on("error", () => undefined);
      call.once("data", () => call.cancel());
      await closed.promise;
      assert.deepEqual(served.errors, []);
    });
  });

  describe("images", () => {
    it("are listed by name and given one by one", async () => {
      served.images.set("z", { ...image, name: "z" as Image["name"] });
      served.images.set(image.name, image);
      const { images } = await ask(served.client, served.client.listImages, {});
      assert.deepEqual(
        images.map(({ name }) => name),
        [image.name, "z"],
      );
      assert.equal((await ask(served.client, served.client.getImage, { name: "z" })).image?.digest, image.digest);
      const none = ask(served.client, served.client.getImage, { name: "none" });
      await refuses(none, status.NOT_FOUND, /no image "none"/);
    });

    it("are removed unless somebody needs them", async () => {
      const remove = (name: string) => ask(served.client, served.client.removeImage, { name });
      await refuses(remove("none"), status.NOT_FOUND, /none/);
      served.images.set(image.name, image);
      served.rollouts.set(rolloutId, rollout);
      await refuses(remove(image.name), status.FAILED_PRECONDITION, /being installed by rollout r1/);
      served.rollouts.set(rolloutId, { ...rollout, state: "succeeded" });
      served.nodes.discover(mac, "10.0.0.7");
      served.nodes.setBootTarget(mac, { kind: "local", imageDigest: image.digest });
      await refuses(
        remove(image.name),
        status.FAILED_PRECONDITION,
        /is needed: 1 node boots its own system with the kernel of this image: node-000001/,
      );
      served.images.set("same", { ...image, name: "same" as Image["name"] });
      assert.deepEqual(await remove("same"), {});
      served.nodes.setBootTarget(mac, { kind: "agent" });
      assert.deepEqual(await remove(image.name), {});
      assert.equal([...served.events.list()].at(-1)?.type, "image-removed");
    });
  });

  describe("rollouts", () => {
    it("are planned and started with what was asked for", async () => {
      const asked: object[] = [];
      served.parts.rollouts.plan = async (request) => {
        asked.push(request);
        return { image, plans: [] };
      };
      served.parts.rollouts.start = async (request) => {
        asked.push(request);
        return rollout;
      };
      const request = wire.RolloutRequest.fromPartial({ all: true, disk: "/dev/sda" });
      const plan = await ask(served.client, served.client.planRollout, { rollout: request });
      assert.equal(plan.image?.name, image.name);
      const start = (id: string) => ask(served.client, served.client.startRollout, { rolloutId: id, rollout: request });
      assert.equal((await start("")).rollout?.rolloutId, "r1");
      await start("mine");
      const wanted = { nodes: [], all: true, disk: "/dev/sda" };
      assert.deepEqual(asked, [wanted, wanted, { ...wanted, id: "mine" }]);
      await refuses(start("not an id"), status.INVALID_ARGUMENT, /rollout_id/);
      const nothing = ask(served.client, served.client.planRollout, { rollout: undefined });
      await refuses(nothing, status.INVALID_ARGUMENT, /rollout is missing/);
    });

    it("are listed, cancelled and watched to their end", async () => {
      served.rollouts.set(rolloutId, rollout);
      served.parts.rollouts.watch = async function* () {
        yield rollout;
        yield { ...rollout, state: "failed", endedAt: 9 };
      };
      assert.equal((await ask(served.client, served.client.listRollouts, {})).rollouts.length, 1);
      assert.equal((await ask(served.client, served.client.cancelRollout, { rolloutId })).rollout?.rolloutId, "r1");
      const unknown = ask(served.client, served.client.cancelRollout, { rolloutId: "r2" });
      await refuses(unknown, status.NOT_FOUND, /r2/);
      const states: number[] = [];
      for await (const message of served.client.watchRollout({ rolloutId })) {
        states.push((message as wire.WatchRolloutResponse).rollout?.state ?? 0);
      }
      assert.deepEqual(states, [1, 3]);
    });

    it("that are unknown cannot be watched", async () => {
      const watch = async () => {
        for await (const _ of served.client.watchRollout({ rolloutId: "r2" })) assert.fail();
      };
      await refuses(watch(), status.NOT_FOUND, /r2/);
    });

    it("are let go of when the watcher does", async () => {
      const letGo = Promise.withResolvers<void>();
      served.parts.rollouts.watch = async function* (_id, signal) {
        try {
          yield rollout;
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        } finally {
          letGo.resolve();
        }
      };
      const call = served.client.watchRollout({ rolloutId });
      call.on("error", () => undefined);
      call.once("data", () => call.cancel());
      await letGo.promise;
    });

    it("end their watchers with UNAVAILABLE when the controller goes, so that nobody takes it for their end", async () => {
      served.parts.rollouts.watch = async function* (_id, signal) {
        yield rollout;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      };
      const watch = async () => {
        for await (const _ of served.client.watchRollout({ rolloutId })) void served.grpc.close();
      };
      await refuses(watch(), status.UNAVAILABLE, /shutting down/);
    });
  });

  describe("events", () => {
    const read = async (request: Partial<wire.StreamEventsRequest>, count = Number.POSITIVE_INFINITY) => {
      const call = served.client.streamEvents(wire.StreamEventsRequest.fromPartial(request));
      const messages: string[] = [];
      try {
        for await (const message of call) {
          messages.push((message as wire.StreamEventsResponse).event?.message ?? "");
          if (messages.length === count) call.cancel();
        }
      } catch (error) {
        if ((error as ServiceError).code !== status.CANCELLED) throw error;
      }
      return messages;
    };
    const append = (message: string, more = {}): void => {
      served.events.append({ type: "node-registered", severity: "info", message, ...more });
    };

    it("are streamed to their end, filtered and limited", async () => {
      served.nodes.discover(mac, "10.0.0.7");
      append("a", { nodeId: mac });
      append("b", { rolloutId });
      append("c");
      assert.deepEqual((await read({})).slice(1), ["a", "b", "c"]);
      assert.deepEqual(await read({ limit: 2 }), ["b", "c"]);
      assert.deepEqual(await read({ afterId: 3n }), ["c"]);
      assert.deepEqual(await read({ rolloutId }), ["b"]);
      assert.deepEqual((await read({ node: "node-000001" })).slice(1), ["a"]);
      await refuses(read({ node: "nobody" }), status.NOT_FOUND, /nobody/);
    });

    it("are followed until the caller ends the stream", async () => {
      append("a");
      const following = read({ follow: true }, 3);
      for (const message of ["b", "c"]) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        append(message);
      }
      assert.deepEqual(await following, ["a", "b", "c"]);
      assert.deepEqual(served.errors, []);
    });
  });

  it("tell a defect to the caller and to the log", async () => {
    served.parts.images.list = async () => {
      throw new TypeError("a defect");
    };
    await refuses(ask(served.client, served.client.listImages, {}), status.INTERNAL, /a defect/);
    assert.equal(served.errors.length, 1);
  });

  it("open over the unix socket, to its owner only", async () => {
    assert.equal(statSync(served.socket).mode & 0o777, 0o600);
    assert.deepEqual(await ask(served.client, served.client.getStatus, {}), {
      version: "9.9.9",
      startedAt: new Date(served.clock.now()),
      grpcAddress: "10.0.0.1:7700",
      insecure: false,
      waitingFor: ["DHCP: no cable"],
      httpUrl: "http://10.0.0.1:7701",
      httpsUrl: "https://10.0.0.1:7702",
      tftpAddress: "10.0.0.1:69",
      uplink: {
        bytesPerSecond: 50_000_000n,
        capacityBytesPerSecond: 125_000_000n,
        source: wire.UplinkSource.UPLINK_SOURCE_LINK,
        writingNodes: 8,
        waitingNodes: 3,
        mostWritingNodes: 0,
      },
    });
  });

  it("open over TCP to everybody where there is no TLS", async () => {
    const open = await serveController({ insecure: true });
    const client = new wire.ControllerServiceClient(`127.0.0.1:${open.tcpPort}`, credentials.createInsecure());
    assert.deepEqual(await ask(client, client.listNodes, {}), { nodes: [] });
    client.close();
    await open.close();
  });
});
