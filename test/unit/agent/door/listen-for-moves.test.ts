import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { after, test } from "node:test";
import { listenForMoves } from "../../../../agent/door/listen-for-moves.ts";
import { createAnnouncer } from "../../../../controller/rpc/agent/announcer.ts";
import type { AgentIds } from "../../../../proto/grpc/agent-ids.ts";
import { type Endpoint, renderEndpoint } from "../../../../proto/names/endpoint.ts";

const ids: AgentIds = { bootId: "boot-1", instanceId: "run-1" };
const stopping = new AbortController();
const announcer = createAnnouncer({ debug: () => undefined });
after(() => {
  stopping.abort();
  announcer.close();
});

async function listening(address: string, signal = stopping.signal) {
  const told: string[] = [];
  const warnings: string[] = [];
  const moved = (controllers: readonly Endpoint[]): void => void told.push(controllers.map(renderEndpoint).join());
  const log = { warn: (_details: object, message: string) => warnings.push(message) };
  const socket: Socket = listenForMoves({ address, port: 0, ids, moved, log }, signal);
  await once(socket, "listening");
  return { socket, port: socket.address().port, told, warnings };
}

for (const address of ["127.0.0.1", "::1"])
  test(`a controller is believed by ${address} that names this boot and this run, and nobody else`, async () => {
    const { socket, port, told } = await listening(address);
    const at = { address, port };
    const liar: Endpoint = { host: "10.0.0.66", port: 7700 };
    announcer.announce(at, { ids: { ...ids, bootId: "boot-2" }, controllers: [liar] });
    announcer.announce(at, { ids: { ...ids, instanceId: "run-2" }, controllers: [liar] });
    announcer.announce(at, { ids, controllers: [{ host: "10.0.0.2", port: 7700 }] });
    await once(socket, "message");
    while (told.length === 0) await once(socket, "message");
    assert.deepEqual(told, ["10.0.0.2:7700"]);
  });

test("a port that somebody has is told of, and nothing ends", async () => {
  const { port } = await listening("127.0.0.1");
  const warnings: string[] = [];
  const log = { warn: (_details: object, message: string) => warnings.push(message) };
  const second = listenForMoves({ address: "127.0.0.1", port, ids, moved: () => assert.fail(), log }, stopping.signal);
  await new Promise<void>((resolve) => second.once("close", resolve));
  assert.match(warnings.join(), /cannot listen on UDP for a controller/);
});

test("it ends with its signal", async () => {
  const stop = new AbortController();
  const { socket, port } = await listening("127.0.0.1", stop.signal);
  const closed = once(socket, "close");
  stop.abort();
  await closed;
  const next = createSocket("udp4");
  next.bind(port, "127.0.0.1");
  await once(next, "listening");
  next.close();
});
