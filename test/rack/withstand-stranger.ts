import assert from "node:assert/strict";
import path from "node:path";
import process from "node:process";
import type { Board } from "./board.ts";
import type { Port } from "./network.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import type { Rack } from "./rack.ts";
import type { StrangersKnowledge } from "./stranger.ts";

const program = path.join(import.meta.dirname, "stranger.ts");
/** What the agent refuses itself, without a word. */
const byAgent = ["list the disks", "wipe by the agent", "write by the agent", "reboot by the agent"];
/** What TLS alone lets somebody try. */
const toBeTheNode = ["enrol with the token that the node has used", "enrol without one"];

/**
 * Lets somebody on the rack's network who knows all of a netbooted node that can be known there, its token included, try
 * what would harm it, in plain text and over TLS. All of it is refused; nothing has changed but that the operator is
 * told, and the node still obeys its controller.
 */
export async function assertWithstandsStranger(
  rack: Rack,
  board: Board,
  {
    port,
    stranger,
    device,
    image,
  }: Pick<StrangersKnowledge, "device" | "image"> & {
    readonly port: Port;
    readonly stranger: NetworkNamespace;
  },
): Promise<void> {
  const { client } = rack;
  const nodeOf = async () => (await client.nodes()).find(({ nodeId }) => nodeId === board.mac);
  const before = await nodeOf();
  const events = await client.events();
  const images = await rack.palletOk("images", "--json");
  const bootId = before?.facts?.bootId ?? "";
  const token = [...board.console.text().matchAll(/pallet\.token=(\S+)/g)].at(-1)?.[1] ?? "";
  assert.notEqual(token, "", "the node was given no token");

  for (const tls of [false, true]) {
    const knowledge: StrangersKnowledge = {
      controller: `${rack.network.address}:7700`,
      agent: `${before?.address}:${before?.agent?.port}`,
      ...{ node: board.mac, bootId, device, image, token, tls },
    };
    const said = await stranger.run(process.execPath, [program, JSON.stringify(knowledge)]);
    const ends = JSON.parse(said) as Record<string, string>;
    assert.equal(Object.keys(ends).length, tls ? 15 : 13);
    for (const [attempt, end] of Object.entries(ends)) {
      // Over TLS the controller knows that nobody has proved who he is; in plain text it has a word about TLS for all.
      const refusal = tls && !attempt.includes("the token") ? "UNAUTHENTICATED" : "PERMISSION_DENIED";
      assert.equal(end, byAgent.includes(attempt) ? "UNAVAILABLE" : refusal, `${attempt}, TLS: ${tls}`);
    }
  }

  const told = (await client.events()).slice(events.length);
  assert.deepEqual(
    told.map(({ type }) => type),
    toBeTheNode.map(() => "enrollment-refused"),
  );
  for (const { message } of told) assert.ok(message.includes(port.address), message);
  const now = await nodeOf();
  assert.deepEqual(
    [now?.bootTarget, now?.accepted, now?.facts?.bootId, now?.online],
    [before?.bootTarget, before?.accepted, bootId, true],
  );
  assert.equal(await rack.palletOk("images", "--json"), images);
  assert.deepEqual((await client.rollouts()).length, 0);
  assert.ok((await rack.palletOk("disks", board.mac)).includes(device));
}
