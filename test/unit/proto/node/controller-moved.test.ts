import assert from "node:assert/strict";
import { test } from "node:test";
import { ControllerMoved as Wire } from "../../../../proto/gen/pallet/v1/agent.ts";
import type { AgentIds } from "../../../../proto/grpc/agent-ids.ts";
import type { Endpoint } from "../../../../proto/names/endpoint.ts";
import { decodeControllerMoved, encodeControllerMoved } from "../../../../proto/node/controller-moved.ts";

const ids: AgentIds = { bootId: "boot-1", instanceId: "run-1" };
const here: Endpoint = { host: "10.0.0.2", port: 7700 };
const other: Endpoint = { host: "fd00::2", port: 7700 };

test("the agent that is meant learns the addresses, in their order", () => {
  const datagram = encodeControllerMoved({ ids, controllers: [here, other] });
  assert.deepEqual(decodeControllerMoved(datagram, ids), [here, other]);
});

for (const [what, own] of [
  ["another boot", { ...ids, bootId: "boot-2" }],
  ["another run", { ...ids, instanceId: "run-2" }],
] as const)
  test(`${what} is not meant`, () => {
    assert.equal(decodeControllerMoved(encodeControllerMoved({ ids, controllers: [here] }), own), undefined);
  });

for (const [what, datagram] of [
  ["nothing", Buffer.alloc(0)],
  ["noise", Buffer.from("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")],
  ["no ids", Wire.encode({ bootId: "", instanceId: "", controllers: ["10.0.0.2:7700"] }).finish()],
  ["no address", Wire.encode({ ...ids, controllers: [] }).finish()],
  ["no address that is one", Wire.encode({ ...ids, controllers: ["http://10.0.0.2/", "10.0.0.2:0", ""] }).finish()],
  ["more than fits a datagram", Wire.encode({ ...ids, controllers: [`${"a".repeat(1100)}:1`] }).finish()],
] as const)
  test(`a datagram with ${what} says nothing`, () => assert.equal(decodeControllerMoved(datagram, ids), undefined));

test("eight addresses travel at most, and no more than a datagram holds", () => {
  const many = Array.from({ length: 12 }, (_, index) => ({ host: `10.0.0.${index}`, port: 7700 }));
  assert.deepEqual(decodeControllerMoved(encodeControllerMoved({ ids, controllers: many }), ids), many.slice(0, 8));
  const long = Array.from({ length: 8 }, (_, index) => ({ host: `${index}${"a".repeat(252)}`, port: 7700 }));
  const datagram = encodeControllerMoved({ ids, controllers: long });
  assert.ok(datagram.length <= 1024);
  assert.deepEqual(decodeControllerMoved(datagram, ids), long.slice(0, 3));
});
