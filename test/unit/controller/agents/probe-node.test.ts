import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { tryConnection } from "../../../../controller/agents/probe-node.ts";

const never = new AbortController().signal;

describe("tryConnection", () => {
  it("takes an accepted connection and a refused one for answers", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    assert.equal(await tryConnection("127.0.0.1", port, never), "is open");
    server.close();
    await once(server, "close");
    assert.equal(await tryConnection("127.0.0.1", port, never), "refuses connections");
  });

  it("ends without an answer when it is aborted", async () => {
    assert.equal(await tryConnection("127.0.0.1", 22, AbortSignal.abort()), undefined);
  });
});
