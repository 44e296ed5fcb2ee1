import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { listenForOwner, prepareSocketPath } from "../../../../proto/linux/owner-socket.ts";
import { requires } from "../../../requirements.ts";

const words = { program: "controller", setting: "socket (--socket)" };

describe("prepareSocketPath", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-socket-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("makes the folder, which others may look into", async () => {
    const socket = path.join(folder, "run/pallet/c.sock");
    await prepareSocketPath(socket, words);
    assert.equal(statSync(path.dirname(socket)).mode & 0o777, 0o755);
  });

  it("removes the socket of a process that is gone", async () => {
    const socket = path.join(folder, "stale.sock");
    const script = "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
    spawnSync(process.execPath, ["-e", script, socket]);
    assert.ok(existsSync(socket), "the process left no socket behind");
    await prepareSocketPath(socket, words);
    assert.equal(existsSync(socket), false);
  });

  it("refuses the socket of a process that listens, and what is no socket", async (context) => {
    const socket = path.join(folder, "live.sock");
    const server = createServer().listen(socket);
    context.after(() => server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    await assert.rejects(prepareSocketPath(socket, words), /another controller is running: it listens at .*live\.sock/);
    const file = path.join(folder, "precious");
    writeFileSync(file, "data");
    await assert.rejects(prepareSocketPath(file, words), /exists and is not a socket/);
    assert.ok(existsSync(file));
  });

  it("refuses a folder in which others could put another socket in its place", async () => {
    const open = path.join(folder, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    await assert.rejects(prepareSocketPath(path.join(open, "c.sock"), words), /is writable by everyone.*--socket/);
    // As /tmp: there only its owner may remove a file.
    chmodSync(open, 0o1777);
    await prepareSocketPath(path.join(open, "c.sock"), words);
  });

  it("refuses the folder of another user", requires("root"), async () => {
    const foreign = path.join(folder, "foreign");
    mkdirSync(foreign);
    chownSync(foreign, 65_534, 65_534);
    await assert.rejects(prepareSocketPath(path.join(foreign, "c.sock"), words), /belongs to user 65534/);
  });
});

describe("listenForOwner", () => {
  it("leaves the socket to its owner from the moment that it is there, whatever the umask", async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), "pallet-socket-"));
    context.after(() => rmSync(folder, { recursive: true }));
    const usual = process.umask(0);
    context.after(() => process.umask(usual));
    const socket = path.join(folder, "c.sock");
    const listening = listenForOwner(socket, () => {});
    assert.equal(statSync(socket).mode & 0o777, 0o600, "before it listens");
    assert.equal(process.umask(), 0);
    (await listening).close();
  });
});
