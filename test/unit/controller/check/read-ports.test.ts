import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { readPorts } from "../../../../controller/check/read-ports.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import { databaseIn } from "../../../../controller/store/replace-state.ts";

async function listen(where: string | { readonly port: number; readonly host: string }) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(where, resolve));
  return { server, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

describe("ports that are held", () => {
  let stateDirectory = "";
  before(async () => {
    stateDirectory = await mkdtemp(path.join(os.tmpdir(), "pallet-ports-"));
  });
  after(() => rm(stateDirectory, { recursive: true, force: true }));

  /** Whether a port of this process counts as held by another. */
  async function isHeld(): Promise<boolean> {
    await using listening = await listen({ port: 0, host: "127.0.0.1" });
    const address = listening.server.address();
    assert.ok(address !== null && typeof address === "object");
    const held = await readPorts({ socket: path.join(stateDirectory, "controller.sock"), stateDirectory });
    return held.some(({ port, process: holder }) => port === address.port && holder?.pid === process.pid);
  }

  it("are those of any program that is not the controller", async () => {
    assert.equal(await isHeld(), true);
  });

  it("are not those of the controller that answers at the socket", async () => {
    await using _ = await listen(path.join(stateDirectory, "controller.sock"));
    assert.equal(await isHeld(), false);
  });

  it("are not those of a controller that is starting: it has the database, and no socket yet", async () => {
    const store = openStore(databaseIn(stateDirectory));
    try {
      assert.equal(await isHeld(), false);
    } finally {
      store.close();
    }
    assert.equal(await isHeld(), true);
  });
});
