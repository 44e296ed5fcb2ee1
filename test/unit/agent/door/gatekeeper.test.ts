import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { pino } from "pino";
import { createGatekeeper, type GatekeeperOptions } from "../../../../agent/door/gatekeeper.ts";
import { until } from "../../../until.ts";

/** A connection from elsewhere: 192.0.2.0/24 and 198.51.100.0/24 are nobody's (RFC 5737). */
function from(remoteAddress: string | undefined): Socket {
  return { remoteAddress, remotePort: 5000, localAddress: "192.0.2.11", localPort: 7710 } as Socket;
}

function aGatekeeper(
  test: TestContext,
  controllerHosts: readonly string[],
  lookup: NonNullable<GatekeeperOptions["lookup"]> = () => assert.fail("an address was looked up"),
) {
  const stop = new AbortController();
  test.after(() => stop.abort());
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const backoff = { firstMs: 1, capMs: 10, random: Math.random };
  return {
    gatekeeper: createGatekeeper({ controllerHosts: () => controllerHosts, backoff, log, lookup }, stop.signal),
    lines,
  };
}

describe("the agent's gatekeeper", () => {
  it("admits the controller's address and no other", (test) => {
    const { gatekeeper } = aGatekeeper(test, ["192.0.2.1"]);
    assert.equal(gatekeeper.admits(from("192.0.2.1")), true);
    assert.equal(gatekeeper.admits(from("::ffff:192.0.2.1")), true);
    for (const other of ["192.0.2.2", "192.0.2.10", "198.51.100.1", "2001:db8::1", undefined])
      assert.equal(gatekeeper.admits(from(other)), false);
  });

  it("admits nobody from elsewhere without a controller", (test) => {
    assert.equal(aGatekeeper(test, []).gatekeeper.admits(from("192.0.2.1")), false);
  });

  it("admits nobody from elsewhere until the controller's name resolves, and then all of its addresses", async (test) => {
    const answers = [undefined, undefined, ["192.0.2.1", "2001:DB8::1"]];
    const { gatekeeper, lines } = aGatekeeper(test, ["controller.lan"], async (host) => {
      assert.equal(host, "controller.lan");
      return answers.shift() ?? Promise.reject(new Error("EAI_AGAIN"));
    });
    const known = (): boolean => lines.some((line) => line.includes("the controller's address is known"));
    assert.equal(gatekeeper.admits(from("192.0.2.1")), false);
    await until(known, "the name was not resolved");
    assert.deepEqual(
      ["192.0.2.1", "2001:db8:0::1", "192.0.2.2", "controller.lan"].map((each) => gatekeeper.admits(from(each))),
      [true, true, false, false],
    );
  });

  it("admits every address of the controller, also those that it learns of later, and no longer those that it drops", (test) => {
    const hosts = ["192.0.2.1", "2001:db8::1"];
    const { gatekeeper } = aGatekeeper(test, hosts);
    const admitted = (address: string): boolean => gatekeeper.admits(from(address));
    assert.deepEqual(["192.0.2.1", "2001:db8::1", "198.51.100.1"].map(admitted), [true, true, false]);
    hosts.splice(0, 2, "198.51.100.1");
    assert.deepEqual(["192.0.2.1", "2001:db8::1", "198.51.100.1"].map(admitted), [false, false, true]);
  });

  it("says whom it refused, in one line for any number of them", (test) => {
    const { gatekeeper, lines } = aGatekeeper(test, ["192.0.2.1"]);
    for (let count = 0; count < 1000; count++) gatekeeper.admits(from(`198.51.100.${count % 250}`));
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? "",
      /"level":40.*"from":"198\.51\.100\.0".*only 192\.0\.2\.1 and root on this node may give orders/,
    );
  });
});
