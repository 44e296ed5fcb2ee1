import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import * as wire from "../../../../proto/gen/pallet/v1/node.ts";
import type { AgentInfo } from "../../../../proto/node/agent-info.ts";
import { agentInfoFromWire, agentInfoToWire, factsFromWire, factsToWire } from "../../../../proto/node/node-codec.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import { imageDigestFrom } from "../../../../proto/pack/digest.ts";

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const facts: fc.Arbitrary<NodeFacts> = fc.record(
  {
    model: fc.string(),
    serial: fc.string(),
    interfaces: fc.array(fc.record({ name: fc.string(), mac: fc.string(), addresses: fc.array(fc.ipV6()) })),
    memoryBytes: count,
    cpuCount: fc.nat({ max: 2 ** 31 }),
    cpuModel: fc.string(),
    temperatureCelsius: fc.double({ noNaN: true }),
    kernel: fc.string(),
    architecture: fc.constantFrom("arm64", "x64"),
    bootId: fc.uuid(),
    root: fc.record({ source: fc.string(), filesystemType: fc.string(), disk: fc.string() }),
    hostname: fc.string(),
    uptimeSeconds: count,
  },
  {
    requiredKeys: [
      "model",
      "serial",
      "interfaces",
      "memoryBytes",
      "cpuCount",
      "cpuModel",
      "kernel",
      "architecture",
      "bootId",
      "root",
      "hostname",
      "uptimeSeconds",
    ],
  },
);

const installed = fc.record({
  imageName: fc.string(),
  imageDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(imageDigestFrom),
  reimageId: fc.string(),
  installedAt: fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-01-01") })
    .map((date) => date.toISOString()),
});
const agents: fc.Arbitrary<AgentInfo> = fc.record(
  {
    version: fc.string(),
    role: fc.constantFrom("netboot", "resident"),
    instanceId: fc.string(),
    port: fc.nat({ max: 65_535 }),
    installed,
    residentProgram: fc.record({
      sizeBytes: count,
      program: fc.oneof(
        fc.record({ kind: fc.constantFrom("script" as const, "other" as const, "none" as const) }),
        fc.record({
          kind: fc.constant("elf" as const),
          elf: fc.record({ bits: fc.constantFrom(32 as const, 64 as const), machine: fc.nat({ max: 65_535 }) }),
          interpreter: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
        }),
      ),
    }),
  },
  { requiredKeys: ["version", "role", "instanceId", "port"] },
);

describe("facts about a node", () => {
  it("are read as they were sent", () => {
    fc.assert(
      fc.property(facts, (sent) => {
        const travelled = wire.NodeFacts.decode(wire.NodeFacts.encode(factsToWire(sent)).finish());
        // What a decoder leaves as undefined is absent once read; fast-check's records have no prototype.
        assert.deepEqual(factsFromWire(travelled), structuredClone(sent));
      }),
    );
  });

  it("are read also from a peer that leaves all of them out", () => {
    const read = factsFromWire(wire.NodeFacts.create());
    assert.deepEqual(read.root, { source: "", filesystemType: "", disk: "" });
    assert.equal("temperatureCelsius" in read, false);
  });
});

describe("an agent process", () => {
  it("is read as it was sent", () => {
    fc.assert(
      fc.property(agents, (sent) => {
        const travelled = wire.AgentInfo.decode(wire.AgentInfo.encode(agentInfoToWire(sent)).finish());
        assert.deepEqual(agentInfoFromWire(travelled), structuredClone(sent));
      }),
    );
  });

  it("has no role that this program would mistake for another", () => {
    for (const role of [0, 77])
      assert.equal("role" in agentInfoFromWire({ ...wire.AgentInfo.create(), role: role as wire.AgentRole }), false);
  });

  it("has no program of a kind that this one does not know", () => {
    const elf = wire.ProgramKind.PROGRAM_KIND_ELF;
    for (const residentProgram of [{ kind: 77 as wire.ProgramKind }, { kind: elf, bits: 128 }])
      assert.equal("residentProgram" in agentInfoFromWire(wire.AgentInfo.fromPartial({ residentProgram })), false);
  });

  it("may have a stamp without a time", () => {
    const read = agentInfoFromWire(wire.AgentInfo.fromPartial({ installed: { imageName: "a" } }));
    assert.equal(read.installed?.installedAt, "1970-01-01T00:00:00.000Z");
  });
});
