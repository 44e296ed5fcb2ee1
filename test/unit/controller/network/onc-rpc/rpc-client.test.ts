import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, it } from "node:test";
import fc from "fast-check";
import { probeNfs } from "../../../../../controller/network/nfs/probe-nfs.ts";
import {
  decodeRecordMark,
  decodeReply,
  encodeCall,
  encodeText,
} from "../../../../../controller/network/onc-rpc/codec.ts";
import { callRpc } from "../../../../../controller/network/onc-rpc/rpc-client.ts";

const called = { program: 100_003, version: 3, procedure: 0 };
const words = (...values: number[]): Buffer => {
  const buffer = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    buffer.writeUInt32BE(value >>> 0, 4 * index);
  });
  return buffer;
};
const record = (body: Buffer): Buffer => Buffer.concat([words(0x8000_0000 + body.length), body]);

describe("an RPC message", () => {
  it("of a call is that of RFC 5531, in one record", () => {
    const bytes = Buffer.from(encodeCall(7, { program: 100_005, version: 3, procedure: 1 }, encodeText("/root")));
    assert.equal(
      bytes.toString("hex"),
      [
        ["80000050", "00000007", "00000000", "00000002", "000186a5", "00000003", "00000001"],
        ["00000001", "0000001c", "00000000", "00000006", "70616c6c65740000", "00000000", "00000000", "00000000"],
        ["00000000", "00000000", "00000005", "2f726f6f74000000"],
      ]
        .flat()
        .join(""),
    );
    assert.deepEqual(decodeRecordMark(bytes), { length: bytes.length - 4, last: true });
  });

  it("of a reply gives its results past the verifier, or says why there are none", () => {
    assert.deepEqual(decodeReply(words(7, 1, 0, 0, 3, 0x61626300, 0, 42)), {
      kind: "success",
      transactionId: 7,
      results: words(42),
    });
    assert.deepEqual(decodeReply(words(7, 1, 0, 0, 0, 1)), {
      kind: "refused",
      transactionId: 7,
      why: "the program is not served there",
    });
    assert.equal(decodeReply(words(7, 1, 1, 0)).kind, "refused");
    assert.throws(() => decodeReply(words(7, 0)), /not an RPC reply/);
  });

  it("of any bytes is read or refused, never more", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeReply(bytes);
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      }),
    );
  });
});

describe("an RPC call", () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  });

  /** Serves one answer, made from the call's transaction id. */
  async function serve(answer: (socket: Socket, transactionId: number) => void): Promise<number> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (call) => answer(socket, call.readUInt32BE(4)));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as { port: number }).port;
  }
  const call = (port: number, signal = AbortSignal.timeout(5000)) =>
    callRpc({ address: "127.0.0.1", port, ...called }, signal);

  it("joins the fragments of its answer, however they arrive", async () => {
    const port = await serve((socket, id) => {
      const body = words(id, 1, 0, 0, 0, 0, 99);
      const bytes = Buffer.concat([words(10), body.subarray(0, 10), record(body.subarray(10))]);
      for (const byte of bytes) socket.write(Buffer.of(byte));
      socket.end();
    });
    assert.deepEqual(Buffer.from(await call(port)), words(99));
  });

  for (const [what, answer, message] of [
    ["answers another call", (id: number) => record(words(id + 1, 1, 0, 0, 0, 0)), /answered a different call/],
    ["refuses", (id: number) => record(words(id, 1, 0, 0, 0, 2)), /the version is not served there/],
    ["says nothing", () => Buffer.alloc(0), /closed the connection without an answer/],
    ["claims too much", () => words(0xffff_fff0, 0), /announced an answer of 2147483632 bytes/],
  ] as const) {
    it(`fails where the server ${what}`, async () => {
      const port = await serve((socket, id) => socket.end(answer(id)));
      await assert.rejects(call(port), message);
    });
  }

  it("ends when it is cancelled", async () => {
    const stop = new AbortController();
    const port = await serve(() => stop.abort(new Error("enough")));
    await assert.rejects(call(port, stop.signal), /enough/);
  });
});

describe("asking an NFS server", () => {
  it("names what does not answer, and the remedy", async () => {
    // Nothing listens at port 111 of an address of the loopback network that nobody uses.
    const probe = { address: "127.7.7.7", path: "/r", remedy: "start it", signal: AbortSignal.timeout(5000) };
    await assert.rejects(probeNfs(probe), (error: Error) => {
      assert.match(error.message, /^the portmapper does not answer at TCP 127\.7\.7\.7:111 \(.*\); start it$/);
      return true;
    });
  });
});
