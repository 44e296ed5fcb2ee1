import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pinAuthority } from "../../../../agent/identity/pin-authority.ts";
import { listenTls } from "../../../../controller/tls/tls-listener.ts";
import { anAuthority } from "../../controller/identity/an-authority.ts";

const never = new AbortController().signal;

describe("pinning the authority of a controller", () => {
  it("gives its certificate, also where everything takes longer than a connection may", async (test) => {
    const authority = await anAuthority();
    const { fingerprint } = authority.current();
    const listener = await listenTls({
      ...{ address: "127.0.0.1", port: 0, protocol: "h2", identity: authority },
      secured: () => undefined,
    });
    test.after(() => listener.close());
    const slow = createServer(async (socket) => {
      await delay(6_000);
      const behind = connectTcp(listener.port, "127.0.0.1");
      for (const each of [socket, behind]) each.on("error", () => undefined);
      socket.pipe(behind).pipe(socket);
    });
    slow.listen(0, "127.0.0.1");
    await once(slow, "listening");
    test.after(() => slow.close());
    const at = { host: "127.0.0.1", port: (slow.address() as AddressInfo).port };
    const found = await pinAuthority(at, fingerprint, never);
    assert.ok(found.raw.equals(authority.current().certificate.raw));
  });

  it("ends at once with the reason for which it is given up, whatever the other side does", async (test) => {
    const accepted: Socket[] = [];
    const silent = createServer((socket) => void accepted.push(socket.on("error", () => undefined)));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    test.after(() => silent.close());
    test.after(() => accepted.forEach((socket) => void socket.destroy()));
    const given = new AbortController();
    const at = { host: "127.0.0.1", port: (silent.address() as AddressInfo).port };
    const pinned = pinAuthority(at, "x", given.signal);
    const rejected = assert.rejects(pinned, /^Error: the agent ends$/);
    await once(silent, "connection");
    given.abort(new Error("the agent ends"));
    await rejected;
  });

  it("says that nobody listens there", async () => {
    await assert.rejects(pinAuthority({ host: "127.0.0.1", port: 1 }, "x", never), { code: "ECONNREFUSED" });
  });
});
