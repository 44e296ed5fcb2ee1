import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BootFetch } from "../../../../controller/nodes/boot-fetch.ts";
import { createRequestLog } from "../../../../controller/nodes/request-log.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const [one, other] = ["02:00:00:00:00:01" as NodeId, "02:00:00:00:00:02" as NodeId];
const fetch = (path: string, address = "10.0.0.1"): BootFetch => ({ address, path, outcome: "served", bytes: 1 });

describe("the requests of a board", () => {
  it("include those from before it named itself, at every address that it used, in order", () => {
    const log = createRequestLog();
    log.note(fetch("bootcode.bin"), undefined, 1);
    log.note(fetch("pxelinux.cfg/01"), one, 2);
    log.note(fetch("another board", "10.0.0.9"), other, 3);
    const spelled = { ...fetch("boot/x/kernel", "10.0.0.2"), requestedPath: "5e1f/kernel\n" };
    log.note({ ...spelled, protocol: "http", durationMs: 7 }, one, 4);
    assert.deepEqual(
      log.of(one).map((request) => [request.at, request.path, request.protocol, request.durationMs]),
      [
        [1, "bootcode.bin", "", 0],
        [2, "pxelinux.cfg/01", "", 0],
        [4, "5e1f/kernel?", "http", 7],
      ],
    );
    log.forget(one);
    assert.deepEqual(log.of(one), []);
    assert.equal(log.of(other).length, 1);
  });

  it("of another node at the same address are not its own", () => {
    const log = createRequestLog();
    log.note(fetch("a"), other, 1);
    log.note(fetch("b"), one, 2);
    assert.deepEqual(
      log.of(one).map(({ path }) => path),
      ["b"],
    );
  });

  it("are bounded for each address, and in their number of addresses", () => {
    const log = createRequestLog({ perAddress: 3, addresses: 2 });
    for (let at = 1; at <= 5; at++) log.note(fetch(`${at}`), one, at);
    assert.deepEqual(
      log.of(one).map(({ path }) => path),
      ["3", "4", "5"],
    );
    for (const address of ["10.0.0.2", "10.0.0.3"]) log.note(fetch("x", address), other, 6);
    assert.deepEqual(log.of(one), []);
  });
});
