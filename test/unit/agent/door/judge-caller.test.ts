import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mayOrder } from "../../../../agent/door/judge-caller.ts";
import { plainAddress } from "../../../../proto/names/plain-address.ts";

const controller = ["10.77.0.1", "fd00::1"];

describe("mayOrder", () => {
  for (const [who, address, local, expected] of [
    ["the controller", "10.77.0.1", undefined, true],
    ["the controller over IPv6", "fd00:0:0::1%eth0", undefined, true],
    ["the controller, seen by a listener for both families", "::ffff:10.77.0.1", undefined, true],
    ["a stranger", "10.77.0.99", undefined, false],
    ["a stranger whose address begins with the controller's", "10.77.0.10", undefined, false],
    ["somebody who claims to come from loopback", "127.0.0.1", undefined, false],
    ["root on the node", "127.0.0.1", { uid: 0 }, true],
    ["the agent's own user", "127.0.0.1", { uid: 500 }, true],
    ["another user of the node", "127.0.0.1", { uid: 1000 }, false],
    ["another user of a node that has the controller's address", "10.77.0.1", { uid: 1000 }, false],
    ["root on a node that has the controller's address", "10.77.0.1", { uid: 0 }, true],
    ["somebody on the node who has gone", "127.0.0.1", { uid: undefined }, false],
  ] as const) {
    it(`${expected ? "obeys" : "does not obey"} ${who}`, () => {
      const caller = { address: plainAddress(address), ...(local && { local }) };
      assert.equal(mayOrder(caller, { controller, uid: 500 }), expected);
    });
  }

  it("obeys nobody from elsewhere without a controller", () => {
    for (const address of ["10.77.0.1", "127.0.0.1", "", "undefined"])
      assert.equal(mayOrder({ address }, { controller: [], uid: 0 }), false);
  });
});
