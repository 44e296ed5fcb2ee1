import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeOperationFromWire } from "../../../../../controller/rpc/wire/operation-spec-from-wire.ts";
import { heartbeatFromWire, registrationFromWire } from "../../../../../controller/rpc/wire/registration-from-wire.ts";
import { rolloutIdFromWire, rolloutRequestFromWire } from "../../../../../controller/rpc/wire/rollout-from-wire.ts";
import { plainText } from "../../../../../controller/rpc/wire/text-from-wire.ts";
import { countFromWire } from "../../../../../proto/count.ts";
import { durationFromWire, durationToWire } from "../../../../../proto/duration.ts";
import { RolloutRequest } from "../../../../../proto/gen/pallet/v1/controller.ts";
import { HeartbeatRequest, RegisterRequest } from "../../../../../proto/gen/pallet/v1/enrollment.ts";
import { OperationSpec } from "../../../../../proto/gen/pallet/v1/operation.ts";
import { specToWire } from "../../../../../proto/operation/spec-codec.ts";

describe("registrationFromWire", () => {
  const request = (change: object = {}): RegisterRequest =>
    RegisterRequest.fromPartial({
      bootMac: "B8-27-EB-00-00-01",
      facts: { bootId: "boot", serial: "00FF", interfaces: [{ name: "eth0", mac: "B8:27:EB:00:00:01" }] },
      agent: { role: 1, instanceId: "i", port: 7710 },
      ...change,
    });

  it("reads MAC addresses in any notation, and serial numbers in lower case", () => {
    const { id, facts, address } = registrationFromWire(request(), "10.0.0.7");
    assert.equal(id, "b8:27:eb:00:00:01");
    assert.equal(facts.interfaces[0]?.mac, "b8:27:eb:00:00:01");
    assert.equal(facts.serial, "00ff");
    assert.equal(address, "10.0.0.7");
  });

  it("leaves absent what is absent", () => {
    const registration = registrationFromWire(request(), undefined);
    assert.equal("address" in registration, false);
    assert.equal("temperatureCelsius" in registration.facts, false);
    assert.equal("installed" in registration.agent, false);
  });

  it("takes nothing from a stranger that would harm a terminal or fill a disk", () => {
    const facts = {
      bootId: "boot",
      hostname: "a\u001b[2Jb\n",
      model: "m".repeat(10_000),
      interfaces: Array.from({ length: 1000 }, (_, index) => ({
        name: "i".repeat(1000),
        mac: index === 999 ? "b8:27:eb:00:00:01" : "x".repeat(1000),
        addresses: Array.from({ length: 1000 }, () => "y".repeat(1000)),
      })),
      memoryBytes: 2n ** 63n,
      temperatureCelsius: Number.NaN,
    };
    const read = registrationFromWire(request({ facts }), undefined).facts;
    assert.equal(read.hostname, "a?[2Jb?");
    assert.equal(read.model.length, 256);
    assert.equal(read.interfaces.length, 16);
    assert.ok(
      read.interfaces.some(({ mac }) => mac === "b8:27:eb:00:00:01"),
      "the interface that it booted by",
    );
    assert.ok(JSON.stringify(read).length < 16_384);
    assert.equal(read.memoryBytes, 0);
    assert.equal("temperatureCelsius" in read, false);
  });

  for (const [field, value, kept, doubt] of [
    ["temperatureCelsius", 1e308, undefined, "a temperature of 1e+308 °C"],
    ["temperatureCelsius", 201, undefined, "a temperature of 201 °C"],
    ["temperatureCelsius", -101, undefined, "a temperature of -101 °C"],
    ["temperatureCelsius", Number.NEGATIVE_INFINITY, undefined, "a temperature of -Infinity °C"],
    ["temperatureCelsius", 105, 105, undefined],
    ["temperatureCelsius", -40, -40, undefined],
    ["cpuCount", 4_000_000_000, 0, "4000000000 CPUs"],
    ["cpuCount", 128, 128, undefined],
    ["memoryBytes", 2n ** 60n, 0, "1152921504606846976 bytes of memory"],
    ["memoryBytes", 16n * 2n ** 30n, 16 * 2 ** 30, undefined],
    ["uptimeSeconds", 2n ** 63n, 0, "an uptime of 9223372036854775808 s"],
    ["uptimeSeconds", 10n * 365n * 86_400n, 10 * 365 * 86_400, undefined],
  ] as const) {
    it(`${doubt === undefined ? "believes" : "does not believe, and says so,"} ${field} ${value}`, () => {
      const interfaces = [{ name: "eth0", mac: "b8:27:eb:00:00:01" }];
      const read = registrationFromWire(request({ facts: { bootId: "boot", interfaces, [field]: value } }), undefined);
      assert.equal(read.facts[field], kept);
      assert.deepEqual(read.doubted, doubt === undefined ? undefined : [doubt]);
    });
  }

  it("refuses what is more than any board has to say, and takes the most that a real one does", () => {
    const wide = (length: number, text: string) => ({
      bootId: "boot",
      interfaces: Array.from({ length: 32 }, (_, index) => ({
        name: text,
        mac: `b8:27:eb:00:00:${index.toString(16).padStart(2, "0")}`,
        addresses: Array.from({ length: 8 }, () => text.repeat(length)),
      })),
      kernels: { kernels: Array.from({ length: 32 }, () => text.repeat(length)) },
    });
    const many = registrationFromWire(request({ facts: wide(3, "fe80::b8:27ff") }), undefined);
    assert.equal(many.facts.interfaces.length, 16);
    assert.throws(() => registrationFromWire(request({ facts: wide(64, "é") }), undefined), {
      reason: "invalid",
      message: /bytes as JSON; no board has more to say than 16384/,
    });
  });

  for (const [name, change, message] of [
    ["no MAC address", { bootMac: "" }, /boot_mac is empty/],
    ["a malformed MAC address", { bootMac: "b8:27" }, /boot_mac is "b8:27"/],
    ["no facts", { facts: undefined }, /facts is missing/],
    ["no boot id", { facts: { bootId: "" } }, /facts\.boot_id is empty/],
    ["no agent", { agent: undefined }, /agent is missing/],
    ["no instance", { agent: { role: 1, port: 1 } }, /agent\.instance_id is empty/],
    ["no role", { agent: { instanceId: "i", port: 1 } }, /agent\.role is neither/],
    ["a role of a newer agent", { agent: { role: 77, instanceId: "i", port: 1 } }, /agent\.role is neither/],
    ["port 0", { agent: { role: 1, instanceId: "i", port: 0 } }, /agent\.port is 0/],
    ["a port too high", { agent: { role: 1, instanceId: "i", port: 65_536 } }, /agent\.port is 65536/],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(() => registrationFromWire(request(change), undefined), { reason: "invalid", message });
    });
  }
});

describe("heartbeatFromWire", () => {
  it("reads a sign of life", () => {
    const request = HeartbeatRequest.fromPartial({ bootMac: "b827eb000001", instanceId: "i", temperatureCelsius: 40 });
    assert.deepEqual(heartbeatFromWire(request, "::1"), {
      id: "b8:27:eb:00:00:01",
      instanceId: "i",
      temperatureCelsius: 40,
      address: "::1",
    });
  });
  it("leaves out a temperature that no board has", () => {
    for (const temperatureCelsius of [1e308, -1e308, Number.NaN, 201]) {
      const request = HeartbeatRequest.fromPartial({ bootMac: "b827eb000001", temperatureCelsius });
      assert.equal("temperatureCelsius" in heartbeatFromWire(request, undefined), false);
    }
  });
  it("refuses a malformed MAC address", () => {
    assert.throws(() => heartbeatFromWire(HeartbeatRequest.fromPartial({}), undefined), { reason: "invalid" });
  });
});

describe("nodeOperationFromWire", () => {
  for (const spec of [
    { kind: "make-filesystem", device: "/dev/mmcblk0p1", type: "vfat", label: "BOOT" },
    { kind: "make-filesystem", device: "/dev/sda", type: "ext4", label: "" },
    { kind: "wipe", device: "/dev/mmcblk0", method: "discard" },
    { kind: "wipe", device: "/dev/mmcblk0", method: "signatures" },
    { kind: "unmount", device: "/dev/mmcblk0" },
    { kind: "identify", durationMs: 1500 },
  ] as const) {
    it(`reads back ${JSON.stringify(spec)}`, () => {
      assert.deepEqual(nodeOperationFromWire(specToWire(spec)), spec);
    });
  }

  for (const [name, work, message] of [
    ["nothing", undefined, /spec\.work is missing/],
    ["the writing of an image", { $case: "writeImage", value: { device: "/dev/sda" } }, /only rollouts/],
    ["the verifying of an image", { $case: "verifyImage", value: { device: "/dev/sda" } }, /only rollouts/],
    ["a device elsewhere", { $case: "unmount", value: { device: "/etc/passwd" } }, /give a path like/],
    ["a device with a line break", { $case: "unmount", value: { device: "/dev/sda\nx" } }, /give a path like/],
    ["no filesystem", { $case: "makeFilesystem", value: { device: "/dev/sda" } }, /neither vfat nor ext4/],
    ["no method", { $case: "wipe", value: { device: "/dev/sda" } }, /neither discard nor signatures/],
    ["no duration", { $case: "identify", value: {} }, /duration is missing/],
    ["11 minutes", { $case: "identify", value: { duration: durationToWire(660_000) } }, /at most 10 minutes/],
    ["no time at all", { $case: "identify", value: { duration: durationToWire(0) } }, /more than 0/],
  ] as const) {
    it(`refuses ${name}`, () => {
      const spec = OperationSpec.fromPartial(work === undefined ? {} : { work });
      assert.throws(() => nodeOperationFromWire(spec), { reason: "invalid", message });
    });
  }
});

describe("rolloutRequestFromWire", () => {
  it("leaves out what is empty", () => {
    const request = RolloutRequest.fromPartial({ nodes: ["a"] });
    assert.deepEqual(rolloutRequestFromWire(request), { nodes: ["a"], all: false });
    const all = RolloutRequest.fromPartial({ all: true, imageName: "debian", disk: "/dev/sda" });
    assert.deepEqual(rolloutRequestFromWire(all), { nodes: [], all: true, imageName: "debian", disk: "/dev/sda" });
  });
  it("refuses no node, and nodes besides all", () => {
    assert.throws(() => rolloutRequestFromWire(undefined), /rollout is missing/);
    assert.throws(() => rolloutRequestFromWire(RolloutRequest.fromPartial({})), /no node is named/);
    assert.throws(() => rolloutRequestFromWire(RolloutRequest.fromPartial({ all: true, nodes: ["a"] })), /not both/);
  });
  it("refuses malformed ids", () => {
    assert.equal(rolloutIdFromWire("Ab9._-"), "Ab9._-");
    for (const id of ["", "a b", "a/b", "a".repeat(65)]) {
      assert.throws(() => rolloutIdFromWire(id), /rollout_id/);
    }
  });
});

describe("durations", () => {
  for (const ms of [0, 1, 999, 1000, 1500, 86_400_000]) {
    it(`survive the wire: ${ms} ms`, () => assert.equal(durationFromWire(durationToWire(ms)), ms));
  }
});

describe("counts and durations that no field could hold again", () => {
  it("are cut", () => {
    const longest = durationFromWire({ seconds: 2n ** 63n - 1n, nanos: 0 });
    assert.equal(durationFromWire(durationToWire(longest)), longest);
    assert.deepEqual(
      [0n, 5n, -1n, 2n ** 53n, 2n ** 64n - 1n].map((value) => countFromWire(value)),
      [0, 5, 0, 0, 0],
    );
  });
});

describe("plainText", () => {
  it("replaces control characters and line separators, and cuts", () => {
    assert.equal(plainText("a\u0000b\u2028c\u009bd"), "a?b?c?d");
    assert.equal(plainText("Größe π", 5), "Größe");
  });
});
