import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { parseArpTable } from "../../../../controller/nodes/parse-arp-table.ts";
import { tryConnection } from "../../../../controller/nodes/probe-node.ts";

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

describe("parseArpTable", () => {
  it("gives the complete entries", () => {
    const table = parseArpTable(`IP address       HW type     Flags       HW address            Mask     Device
10.77.0.11       0x1         0x2         B8:27:EB:00:00:01     *        eth0
10.77.0.12       0x1         0x0         00:00:00:00:00:00     *        eth0
`);
    assert.deepEqual([...table], [["10.77.0.11", "b8:27:eb:00:00:01"]]);
  });

  it("gives none for an empty or a broken table", () => {
    assert.deepEqual([...parseArpTable("")], []);
    assert.deepEqual([...parseArpTable("x\ny\n")], []);
  });
});
