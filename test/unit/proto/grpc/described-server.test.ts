import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { ServerCredentials } from "@grpc/grpc-js";
import { createDescribedServer } from "../../../../proto/grpc/described-server.ts";
import { limits } from "../../../../proto/limits.ts";
import { until } from "../../../until.ts";

/** A connection to a server that has health and reflection. */
async function start(test: TestContext): Promise<ClientHttp2Session> {
  const door = createDescribedServer([], {});
  door.setHealth("SERVING");
  const injector = door.server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = createServer((socket) => injector.injectConnection(socket)).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  test.after(async () => {
    session.destroy();
    listener.close();
    await door.close(0);
  });
  await once(session, "remoteSettings");
  return session;
}

function call(session: ClientHttp2Session, method: string) {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: `/grpc.health.v1.Health/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  return stream;
}

describe("every gRPC server", () => {
  it("has as many calls open on one connection as it may, of 1,000 that are begun", async (test) => {
    const session = await start(test);
    let open = 0;
    for (let index = 0; index < 1000; index++) {
      const stream = call(session, "Watch");
      stream.once("response", () => (open += 1)).resume();
      stream.end(Buffer.alloc(5));
    }
    const { most } = limits.grpc.streamsPerConnection;
    await until(() => open >= most, "the first calls are not answered");
    assert.equal(session.remoteSettings.maxConcurrentStreams, most);
    assert.equal(open, most);
  });

  for (const [title, bytes] of [
    ["is longer by a byte", Buffer.concat([Buffer.from([0, 0, 0x40, 0, 1]), Buffer.alloc(1000)])],
    ["claims 4 GiB", Buffer.from([0, 0xff, 0xff, 0xff, 0xff])],
  ] as const)
    it(`refuses a message that ${title}, before it is there`, async (test) => {
      const stream = call(await start(test), "Check");
      const ended = Promise.withResolvers<unknown>();
      stream.once(
        "response",
        (headers) => headers["grpc-status"] !== undefined && ended.resolve(headers["grpc-status"]),
      );
      stream.once("trailers", (headers) => ended.resolve(headers["grpc-status"]));
      stream.resume().write(bytes);
      // RESOURCE_EXHAUSTED
      assert.equal(String(await ended.promise), "8");
    });
});
