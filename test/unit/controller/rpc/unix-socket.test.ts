import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { prepareSocketPath, restrictSocket } from "../../../../controller/rpc/unix-socket.ts";

describe("prepareSocketPath", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-socket-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("makes the folder, which others may look into", async () => {
    const socket = path.join(folder, "run/pallet/c.sock");
    await prepareSocketPath(socket);
    assert.equal(statSync(path.dirname(socket)).mode & 0o777, 0o755);
  });

  it("removes the socket of a process that is gone", async () => {
    const socket = path.join(folder, "stale.sock");
    const script = "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
    spawnSync(process.execPath, ["-e", script, socket]);
    assert.ok(existsSync(socket), "the process left no socket behind");
    await prepareSocketPath(socket);
    assert.equal(existsSync(socket), false);
  });

  it("refuses the socket of a process that listens, and what is no socket", async (context) => {
    const socket = path.join(folder, "live.sock");
    const server = createServer().listen(socket);
    context.after(() => server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    await assert.rejects(prepareSocketPath(socket), /another controller is running: it listens at .*live\.sock/);
    await restrictSocket(socket);
    assert.equal(statSync(socket).mode & 0o777, 0o600);

    const file = path.join(folder, "precious");
    writeFileSync(file, "data");
    await assert.rejects(prepareSocketPath(file), /exists and is no socket/);
    assert.ok(existsSync(file));
  });
});
