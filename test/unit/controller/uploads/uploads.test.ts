import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readlink, rm, stat, utimes, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Caller } from "../../../../controller/callers/caller.ts";
import { openUploadDoor } from "../../../../controller/rpc/upload-door.ts";
import { createPiecePool } from "../../../../controller/uploads/piece-pool.ts";
import {
  handFile,
  openUploadConnection,
  type UploadConnection,
} from "../../../../controller/uploads/upload-connection.ts";
import { fileSocketOf, tokenBytes, uploadSocketOf } from "../../../../controller/uploads/upload-socket.ts";
import { createUploads, type Upload, type Uploads } from "../../../../controller/uploads/uploads.ts";
import { limits } from "../../../../proto/limits.ts";
import { loadLibc } from "../../../../proto/linux/libc.ts";
import { until } from "../../../until.ts";

const mebibyte = 2 ** 20;
const me: Caller = { kind: "socket-user", uid: process.getuid?.() ?? 0, name: "me" };
const never = new AbortController().signal;

let folder: string;
let socket: string;
let uploads: Uploads;
let timers: Set<() => void>;
let close: () => Promise<void>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-uploads-"));
  socket = uploadSocketOf(join(folder, "controller.sock"));
  timers = new Set();
  uploads = createUploads({
    setTimeout(callback) {
      timers.add(callback);
      return () => void timers.delete(callback);
    },
  });
  const log = { error: (details: object, message: string) => assert.fail(`${message}: ${JSON.stringify(details)}`) };
  const server = await openUploadDoor({ socket: join(folder, "controller.sock"), uploads, log });
  close = async () => {
    uploads.close();
    server?.close();
    await rm(folder, { recursive: true });
  };
});
afterEach(() => close());

async function connected(): Promise<UploadConnection> {
  const connection = await openUploadConnection(socket);
  assert.ok(connection !== undefined);
  return connection;
}

const timeIsUp = (): void => {
  for (const callback of timers) callback();
};

async function allOf(upload: Pick<Upload, "pieces">): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of upload.pieces()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function* inPieces(bytes: Buffer, ...lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const length = lengths[index % lengths.length] ?? mebibyte;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

describe("a file that comes by the upload socket", () => {
  for (const lengths of [[mebibyte], [1, 700_000, 3 * mebibyte, 5]])
    it(`is what was sent, in pieces of ${lengths.join(", ")} bytes, whichever of its call and its connection is first`, async () => {
      for (const callFirst of [true, false]) {
        const file = randomBytes(5 * mebibyte + 123);
        const connection = await connected();
        const sent = callFirst ? undefined : connection.send({ bytes: inPieces(file, ...lengths) });
        const upload = await uploads.claim(connection.token, me, never);
        const received = allOf(upload);
        await (sent ?? connection.send({ bytes: inPieces(file, ...lengths) }));
        assert.ok((await received).equals(file));
        upload.close();
      }
      assert.equal(timers.size, 0, "nobody's time runs any more");
    });

  it("may be empty", async () => {
    const connection = await connected();
    await connection.send({ bytes: inPieces(Buffer.alloc(0)) });
    assert.equal((await allOf(await uploads.claim(connection.token, me, never))).length, 0);
  });

  it("is read no faster than it is taken, into memory that is used again", async () => {
    const pool = createPiecePool();
    const [sizeMebibytes, ahead] = [40, 8];
    let sent = 0;
    const bytes = async function* () {
      for (; sent < sizeMebibytes; sent += 1) yield pool.take().fill(sent);
    };
    const connection = await connected();
    const sending = connection.send({ bytes: bytes(), release: pool.release });
    const upload = await uploads.claim(connection.token, me, never);
    const memories = new Set<ArrayBufferLike>();
    let taken = 0;
    for await (const piece of upload.pieces()) {
      assert.ok(piece.every((byte) => byte === taken));
      assert.ok(sent <= taken + ahead, `${sent} sent, ${taken} taken`);
      memories.add(piece.buffer);
      taken += 1;
      upload.release(piece);
    }
    await sending;
    assert.equal(taken, sizeMebibytes);
    assert.ok(memories.size <= 4, `${memories.size} pieces of memory`);
  });

  it("is another user's business only", async () => {
    const connection = await connected();
    const others: readonly Caller[] = [
      { kind: "socket-user", uid: 4711, name: "eve" },
      { kind: "operator", name: "ada", role: "admin" },
      { kind: "anonymous" },
    ];
    for (const other of others) await assert.rejects(uploads.claim(connection.token, other, never), /another user's/);
    (await uploads.claim(connection.token, me, never)).close();
  });

  it("is for one call only", async () => {
    const connection = await connected();
    const upload = await uploads.claim(connection.token, me, never);
    const again = uploads.claim(connection.token, me, never);
    timeIsUp();
    await assert.rejects(again, /no connection to the upload socket has brought the token/);
    upload.close();
  });

  it("is not waited for without end, nor by a token that is none", async () => {
    const waiting = uploads.claim("ab".repeat(16), me, never);
    timeIsUp();
    await assert.rejects(waiting, /no connection to the upload socket/);
    for (const token of ["", "AB".repeat(16), "ab".repeat(17), "../".repeat(10)])
      await assert.rejects(uploads.claim(token, me, never), /32 lower-case hexadecimal/);
    const given = new AbortController();
    const givenUp = uploads.claim("cd".repeat(16), me, given.signal);
    given.abort(new Error("enough"));
    await assert.rejects(givenUp, /enough/);
  });

  it("ends in the middle where its connection is closed here, and its sender hears of it", async () => {
    const connection = await connected();
    const upload = await uploads.claim(connection.token, me, never);
    const pieces = upload.pieces();
    const first = pieces.next();
    const sending = assert.rejects(connection.send({ bytes: inPieces(Buffer.alloc(64 * mebibyte)) }), /reads no more/);
    assert.equal((await first).value?.length, mebibyte);
    upload.close();
    await assert.rejects(async () => {
      while ((await pieces.next()).done !== true);
    }, /was closed/);
    await sending;
  });
});

describe("a file that is handed over, open", () => {
  const files = join(tmpdir(), `pallet-handed-${process.pid}`);
  beforeEach(() => mkdir(files, { recursive: true }));
  afterEach(() => rm(files, { recursive: true }));

  /** Opens a file and hands it over; it is closed here right after, as a process that ends does. */
  async function hand(
    path: string,
    flags: string | number,
    opened: () => Promise<void> = async () => {},
  ): Promise<Awaited<ReturnType<typeof handFile>>> {
    const descriptor = openSync(path, flags);
    try {
      await opened();
      return await handFile(fileSocketOf(join(folder, "controller.sock")), descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
  async function aFile(bytes: Buffer): Promise<string> {
    const path = join(files, "image");
    await writeFile(path, bytes);
    return path;
  }

  it("is read where it is, though its name is gone and its sender has closed it, and closed with its upload", async () => {
    const bytes = randomBytes(3 * mebibyte + 5);
    const path = await aFile(bytes);
    const connection = await hand(path, "r", () => rm(path));
    assert.ok(connection !== undefined);
    const upload = await uploads.claim(connection.token, me, never);
    assert.ok((await allOf(upload)).equals(bytes));
    assert.equal(upload.file?.sizeBytes, bytes.length);
    assert.ok((await readFile(upload.file.path)).equals(bytes));
    const held = upload.file.path;
    const target = await readlink(held);
    upload.close();
    await until(async () => (await readlink(held).catch(() => "")) !== target, "the file is still open");
    connection.close();
    assert.equal(timers.size, 0);
  });

  it("is refused when it was changed meanwhile, though its times were set back", async () => {
    const path = await aFile(randomBytes(mebibyte));
    const { atime, mtime } = await stat(path);
    const connection = await hand(path, "r");
    assert.ok(connection !== undefined);
    const upload = await uploads.claim(connection.token, me, never);
    await upload.file?.assertUnchanged();
    // The kernel's time of a change goes by ticks.
    await delay(20);
    await writeFile(path, randomBytes(mebibyte), { flag: "r+" });
    await utimes(path, atime, mtime);
    await assert.rejects(allOf(upload), /the file was changed while it was being read, so nothing was made of it/);
    upload.close();
    connection.close();
  });

  it("is another user's business only", async () => {
    const connection = await hand(await aFile(Buffer.alloc(512)), "r");
    assert.ok(connection !== undefined);
    const eve: Caller = { kind: "socket-user", uid: 4711, name: "eve" };
    await assert.rejects(uploads.claim(connection.token, eve, never), /another user's/);
    (await uploads.claim(connection.token, me, never)).close();
    connection.close();
  });

  it("is not taken when it proves no right to read it, or may keep its reader: its bytes can be sent then", async () => {
    const path = await aFile(Buffer.alloc(512));
    const pathOnly = 0o10000000;
    assert.equal(await hand(path, "a"), undefined, "opened for writing alone");
    assert.equal(await hand(path, pathOnly), undefined, "opened as a path");
    assert.equal(await hand(files, constants.O_RDONLY), undefined, "a folder");
    assert.equal(await hand("/dev/zero", "r"), undefined, "a device");
    assert.equal(await hand("/proc/self/status", "r"), undefined, "proc");
    loadLibc().mkfifo(join(files, "pipe"), 0o600);
    assert.equal(await hand(join(files, "pipe"), "r+"), undefined, "a named pipe");
    await until(() => timers.size === 0, "what was not taken still counts");
  });

  it("is closed when no call asks for it in time, as is a connection that brings none", async () => {
    const connection = await hand(await aFile(Buffer.alloc(512)), "r");
    assert.ok(connection !== undefined);
    const silent = connect(fileSocketOf(join(folder, "controller.sock")));
    await until(() => timers.size === 2, "the connections were not taken in");
    const closed = once(silent.resume(), "close");
    timeIsUp();
    await closed;
    const late = uploads.claim(connection.token, me, never);
    timeIsUp();
    await assert.rejects(late, /no connection to the upload socket/);
  });

  it("is not waited for from who sends a token without one", async () => {
    const stranger = connect(fileSocketOf(join(folder, "controller.sock")));
    const closed = once(stranger.resume(), "close");
    stranger.write("a".repeat(tokenBytes));
    await closed;
    assert.equal(timers.size, 0);
  });
});

describe("a connection of the upload socket that no call asks for", () => {
  it("is closed when its time is up, with a token and without", async () => {
    const strangers = [connect(socket), connect(socket)];
    strangers[1]?.write("a".repeat(tokenBytes));
    await until(() => timers.size === 2, "the connections were not taken in");
    const closed = strangers.map((stranger) => once(stranger.resume(), "close"));
    timeIsUp();
    await Promise.all(closed);
    assert.equal(timers.size, 0);
  });

  it("is closed at once where there are too many", async () => {
    const { most } = limits.uploads.unclaimed;
    const held = Array.from({ length: most }, () => connect(socket));
    await until(() => timers.size === most, "the connections were not taken in");
    const [surplus] = [connect(socket)];
    await once(surplus.resume(), "close");
    for (const stranger of held) stranger.destroy();
    await until(() => timers.size === 0, "who has gone still counts");
  });
});

describe("a controller without an upload socket", () => {
  it("is told by that, whether it is older or was killed", async () => {
    assert.equal(await openUploadConnection(`${socket}.none`), undefined);
    assert.equal(await handFile(`${socket}.none`, 0), undefined);
  });
});
