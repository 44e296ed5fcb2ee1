// A management machine with more than one address on the rack's network: boards that ask any of them get an answer
// from the same one, or strict ones would drop it.
import assert from "node:assert/strict";
import path from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { createRack } from "./rack.ts";
import { tell } from "./story.ts";

const tftpClient = path.join(import.meta.dirname, "machine/tftp-client.ts");

/** What a client that drops answers from elsewhere gets, in its default way. */
function fetchFrom(board: NetworkNamespace, address: string): Promise<string> {
  const options = JSON.stringify({ address, port: 69, path: "pxelinux.cfg/01-02-00-00-00-00-99", timeoutMs: 500, maxTimeouts: 2 }); // biome-ignore format: one line
  const program = `import { tftpGet } from ${JSON.stringify(tftpClient)};
    process.stdout.write((await tftpGet(${options})).toString());`;
  return board.run(process.execPath, ["--input-type=module", "--eval", program]);
}

describe("a controller that listens on all addresses", requires("root", "loop devices"), () => {
  it("answers by TFTP from the one that was asked, also from one that came later", { timeout: 360_000 }, async () => {
    await using rack = await createRack({
      nodes: 0,
      settings: { listen: "0.0.0.0", advertise: "10.77.0.1", tftp: { maxBlockBytes: 1024 } },
      async prepareNetwork({ namespace, interface: name }) {
        await namespace.run("ip", ["addr", "add", "10.77.0.3/24", "dev", name]);
        return async () => {};
      },
    });
    await tell(rack, async () => {
      const { namespace, interface: name } = rack.network;
      const port = rack.network.plug(99, "02:00:00:00:00:99");
      try {
        const board = await port.powerOn();
        for (const address of ["10.77.0.1", "10.77.0.3"])
          assert.match(await fetchFrom(board, address), /APPEND .*pallet\.node=02:00:00:00:00:99/);
        await namespace.run("ip", ["addr", "add", "10.77.0.4/24", "dev", name]);
        const served = () => fetchFrom(board, "10.77.0.4").then((config) => config !== "", () => false); // biome-ignore format: one line
        await until(served, "10.77.0.4 is not served");
      } finally {
        await port.powerOff();
      }
    });
  });
});
