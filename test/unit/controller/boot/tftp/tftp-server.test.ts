import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { execa } from "execa";
import {
  createTftpServer,
  type TftpProblem,
  type TftpServer,
  type TftpServerOptions,
  type TransferReport,
} from "../../../../../controller/boot/tftp/tftp-server.ts";
import { TftpError, type TftpGetOptions, tftpGet } from "../../../../rack/machine/tftp-client.ts";
import { requires } from "../../../../requirements.ts";
import { until } from "../../../../until.ts";
import { createManualClock } from "../../../proto/time/manual-clock.ts";
import { bytesOf, type InMemoryFiles, inMemoryFiles } from "./in-memory-files.ts";
import { startLossyProxy } from "./lossy-proxy.ts";

const files: Record<string, Buffer> = {
  empty: Buffer.alloc(0),
  "one-byte": bytesOf("one-byte", 1),
  "one-block": bytesOf("one-block", 1468),
  "eight-blocks": bytesOf("eight-blocks", 8 * 1468),
  "less-than-a-block": bytesOf("less-than-a-block", 1467),
  kernel: bytesOf("kernel", 300_001),
};

interface Running {
  readonly server: TftpServer;
  readonly files: InMemoryFiles;
  readonly reports: TransferReport[];
  readonly problems: TftpProblem[];
  get(path: string, options?: Partial<TftpGetOptions>): Promise<Buffer>;
}

async function start(test: TestContext, options: Partial<TftpServerOptions> = {}): Promise<Running> {
  const reports: TransferReport[] = [];
  const problems: TftpProblem[] = [];
  const source = inMemoryFiles((path) => files[path]);
  const server = await createTftpServer({
    address: "127.0.0.1",
    port: 0,
    files: source,
    onTransfer: (report) => reports.push(report),
    onProblem: (problem) => problems.push(problem),
    ...options,
    // Patient, so that nothing is sent twice on a busy machine unless a test wants it.
    limits: { firstTimeoutMs: 5000, maxTimeoutMs: 5000, gapDelayMs: 3, ...options.limits },
  });
  test.after(() => server.close());
  const get = (path: string, more: Partial<TftpGetOptions> = {}) =>
    tftpGet({ address: "127.0.0.1", port: server.port, path, ...more });
  return { server, files: source, reports, problems, get };
}

/** A socket to talk to a server by hand. */
async function rawClient(
  test: TestContext,
  address = "127.0.0.1",
): Promise<{
  socket: Socket;
  send(text: string, port: number): void;
  receive(): Promise<{ text: string; port: number }>;
}> {
  const socket = createSocket("udp4");
  test.after(() => socket.close());
  socket.bind(0, address);
  await once(socket, "listening");
  const inbox: { text: string; port: number }[] = [];
  let wake = (): void => {};
  socket.on("message", (packet, { port }) => {
    inbox.push({ text: packet.toString("latin1"), port });
    wake();
  });
  return {
    socket,
    send: (text, port) => socket.send(Buffer.from(text, "latin1"), port, "127.0.0.1"),
    async receive() {
      for (;;) {
        const first = inbox.shift();
        if (first !== undefined) return first;
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error("no packet came within 10 s")), 10_000);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
  };
}

/** Sends a datagram whose source port is 0, which takes a raw socket: Node has none, Perl is in every Debian. */
async function sendFromPort0(payload: string, port: number): Promise<void> {
  const datagram = Buffer.concat([Buffer.alloc(8), Buffer.from(payload, "latin1")]);
  datagram.writeUInt16BE(port, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  const script =
    'socket(my $s, PF_INET, SOCK_RAW, 17) or die $!; send($s, pack("H*", shift), 0, sockaddr_in(0, INADDR_LOOPBACK)) or die $!';
  await execa("perl", ["-MSocket", "-e", script, datagram.toString("hex")]);
}

/** Well before the server would give a silent client up. */
const patience = { withinMs: 5_000 };
const untilReported = (reports: readonly unknown[], count = 1): Promise<void> =>
  until(
    () => reports.length === count,
    () => `${reports.length} transfers were reported`,
    patience,
  );
const untilIdle = (server: TftpServer): Promise<void> =>
  until(() => server.statistics().active === 0, "transfers are still under way", patience);

describe("TFTP server", () => {
  const shapes = [[512, 1], [1468, 8], [65464, 64], [8, 3]] as const; // biome-ignore format: a table
  for (const [path, content] of Object.entries(files))
    for (const [blksize, windowsize] of shapes.slice(0, content.length > 100_000 ? 3 : 4))
      it(`serves ${path} in blocks of ${blksize}, ${windowsize} at a time`, async (test) => {
        const { get, reports } = await start(test);
        assert.deepEqual(await get(path, { blksize, windowsize }), content);
        await untilReported(reports);
        assert.partialDeepStrictEqual(reports[0], {
          path,
          address: "127.0.0.1",
          outcome: "served",
          bytes: content.length,
          retransmits: 0,
          blockSize: Math.min(blksize, 1468),
        });
      });

  it("reads a large file in small pieces", async (test) => {
    const large = bytesOf("large", 20_000_000);
    const source = inMemoryFiles(() => large);
    const { get } = await start(test, { files: source });
    assert.ok((await get("large")).equals(large));
    assert.ok(source.largestRead() <= 128 * 1024);
  });

  for (const [title, path, code] of [
    ["error 1 for a file that is not there", "nowhere", 1],
    ["error 2 for a file that may not be read", "forbidden", 2],
  ] as const)
    it(`answers ${title}`, async (test) => {
      const { get, reports } = await start(test);
      await assert.rejects(get(path), (error) => error instanceof TftpError && error.code === code);
      assert.partialDeepStrictEqual(reports, [{ path, outcome: code === 1 ? "not-found" : "refused", bytes: 0 }]);
    });

  it("answers a failing source with an error, and lives on", async (test) => {
    const { get, problems } = await start(test, {
      files: {
        async open(path) {
          if (path === "broken") throw new Error("the disk is on fire");
          const content = { sizeBytes: 10_000, read: async () => 0, close: async () => {} };
          return { kind: "file", content };
        },
      },
    });
    await assert.rejects(get("broken"), /TFTP error 0 for broken: internal error/);
    await assert.rejects(get("truncated"), /TFTP error 0 for truncated: the file cannot be read/);
    assert.deepEqual(
      problems.map(({ kind, error }) => [kind, error.message]),
      [
        ["internal", "the disk is on fire"],
        ["internal", "the file ends at 0 of 10000 bytes"],
      ],
    );
  });

  for (const [title, request, answer] of [
    ["writing", "\0\x02kernel\0octet\0", "\0\x05\0\x02this server is read-only\0"],
    [
      "netascii",
      "\0\x01kernel\0netascii\0",
      '\0\x05\0\0mode "netascii" is not served; set the client to octet (binary)\0',
    ],
    ["an unknown opcode", "\0\x63\0\0", "\0\x05\0\x04opcode 99 is unknown\0"],
    ["a truncated request", "\0\x01kernel", "\0\x05\0\x04a word is not terminated by a zero byte\0"],
    ["data without a transfer", "\0\x03\0\x01", "\0\x05\0\x04data packets belong to the port of a transfer\0"],
  ] as const)
    it(`refuses ${title}`, async (test) => {
      const { server } = await start(test);
      const client = await rawClient(test);
      client.send(request, server.port);
      assert.equal((await client.receive()).text, answer);
    });

  it("never answers an error or a stray acknowledgement, and survives every kind of garbage", async (test) => {
    const { server, get, problems } = await start(test);
    const client = await rawClient(test);
    client.send("\0\x05\0\0an error\0", server.port);
    client.send("\0\x04\0\x01", server.port);
    for (const garbage of [
      "",
      "\0",
      "\0\x01",
      "\xff".repeat(1400),
      "\0\x01\0\0",
      "\0\x06a\0",
      "\0\x01a\0octet\0blksize\0",
    ])
      client.send(garbage, server.port);
    for (let count = 0; count < 7; count++) assert.equal((await client.receive()).text.slice(0, 4), "\0\x05\0\x04");
    assert.deepEqual(await get("one-byte"), files["one-byte"]);
    assert.equal(server.statistics().malformed, 7);
    assert.equal(problems.length, 7);
  });

  it("answers a stranger on a transfer's port with error 5 and goes on with the transfer", async (test) => {
    const { server, reports } = await start(test);
    const [client, stranger] = [await rawClient(test), await rawClient(test)];
    client.send("\0\x01one-block\0octet\0blksize\x001468\0", server.port);
    const { port } = await client.receive();
    assert.notEqual(port, server.port);
    for (const packet of ["\0\x04\0\0", "\0\x05\0\0stop\0", "garbage"]) stranger.send(packet, port);
    assert.equal((await stranger.receive()).text.slice(0, 4), "\0\x05\0\x05");
    client.send("\0\x04\0\0", port);
    assert.equal((await client.receive()).text.slice(0, 4), "\0\x03\0\x01");
    client.send("garbage", port);
    client.send("\0\x04\0\x01", port);
    assert.equal((await client.receive()).text, "\0\x03\0\x02");
    client.send("\0\x04\0\x02", port);
    await untilReported(reports);
    assert.equal(reports[0]?.outcome, "served");
  });

  it("takes a request that comes twice for one", async (test) => {
    const { server, reports } = await start(test);
    const client = await rawClient(test);
    const request = "\0\x01one-byte\0octet\0tsize\x000\0";
    client.send(request, server.port);
    const first = await client.receive();
    client.send(request, server.port);
    assert.deepEqual(await client.receive(), first);
    client.send("\0\x04\0\0", first.port);
    assert.equal((await client.receive()).text.slice(0, 4), "\0\x03\0\x01");
    client.send("\0\x04\0\x01", first.port);
    await untilReported(reports);
    assert.partialDeepStrictEqual(reports[0], { outcome: "served", bytes: 1, retransmits: 1 });
    assert.equal(server.statistics().active, 0);
  });

  it("does not begin anew for a request that the network held back", async (test) => {
    const { server, reports } = await start(test);
    const client = await rawClient(test);
    const request = "\0\x01one-block\0octet\0blksize\x001468\0";
    client.send(request, server.port);
    const { port } = await client.receive();
    client.send("\0\x04\0\0", port);
    await client.receive();
    client.send("\0\x04\0\x01", port);
    assert.equal((await client.receive()).text, "\0\x03\0\x02");
    client.send(request, server.port);
    client.send("\0\x04\0\x02", port);
    await untilIdle(server);
    assert.deepEqual(
      reports.map(({ outcome }) => outcome),
      ["served"],
    );
  });

  it("begins anew for a client that fell silent, or that asks with other options", async (test) => {
    const { server, reports } = await start(test, { limits: { firstTimeoutMs: 10 } });
    const client = await rawClient(test);
    client.send("\0\x01kernel\0octet\0", server.port);
    const first = await client.receive();
    client.send("\0\x04\0\x01", first.port);
    await client.receive();
    await client.receive();
    let second = first;
    while (second.port === first.port) {
      client.send("\0\x01kernel\0octet\0", server.port);
      second = await client.receive();
    }
    assert.equal(second.text.slice(0, 4), "\0\x03\0\x01");
    client.send("\0\x01kernel\0octet\0tsize\x000\0", server.port);
    while (!(await client.receive()).text.startsWith("\0\x06tsize"));
    assert.deepEqual(
      reports.slice(0, 2).map(({ outcome, bytes }) => [outcome, bytes]),
      [
        ["aborted", 512],
        ["aborted", 0],
      ],
    );
  });

  it("follows a client whose port asks for the next file without having acknowledged the last block", async (test) => {
    const { server, reports } = await start(test);
    const client = await rawClient(test);
    client.send("\0\x01one-byte\0octet\0", server.port);
    const first = await client.receive();
    client.send("\0\x01empty\0octet\0", server.port);
    const second = await client.receive();
    assert.notEqual(second.port, first.port);
    client.send("\0\x04\0\x01", second.port);
    await untilReported(reports, 2);
    assert.deepEqual(
      reports.map(({ path, outcome, bytes }) => ({ path, outcome, bytes })),
      [
        { path: "one-byte", outcome: "unconfirmed", bytes: 1 },
        { path: "empty", outcome: "served", bytes: 0 },
      ],
    );
  });

  it("gives up a client that fell silent, and says how far it was", async (test) => {
    const clock = createManualClock();
    const { server, reports, files: source } = await start(test, { clock, limits: { maxSilences: 3 } });
    const client = await rawClient(test);
    client.send("\0\x01kernel\0octet\0", server.port);
    client.send("\0\x04\0\x01", (await client.receive()).port);
    assert.equal((await client.receive()).text.slice(0, 4), "\0\x03\0\x02");
    clock.advance(60_000);
    await untilReported(reports);
    assert.partialDeepStrictEqual(reports[0], { outcome: "aborted", bytes: 512, retransmits: 3 });
    assert.deepEqual(source.closed, [{ path: "kernel", outcome: "aborted", bytes: 512 }]);
  });

  it("ends a transfer when the client says so", async (test) => {
    const { server, reports } = await start(test);
    const client = await rawClient(test);
    client.send("\0\x01kernel\0octet\0tsize\x000\0", server.port);
    client.send("\0\x05\0\x08only the size, thank you\0", (await client.receive()).port);
    await untilReported(reports);
    assert.match(reports[0]?.reason ?? "", /error 8: only the size, thank you/);
  });

  it("refuses more transfers than it was told to, for one client and for all", async (test) => {
    const { server } = await start(test, {
      limits: { maxTransfers: 3, maxTransfersPerClient: 2 },
    });
    const answers: string[] = [];
    for (let count = 0; count < 3; count++) {
      const client = await rawClient(test);
      client.send("\0\x01kernel\0octet\0tsize\x000\0", server.port);
      const answer = await client.receive();
      answers.push(answer.text);
      client.send("\0\x04\0\0", answer.port);
      if (count < 2) await client.receive();
    }
    assert.equal(answers[2], "\0\x05\0\x00127.0.0.1 has 2 transfers in progress; try again later\0");
    const elsewhere = (localAddress: string) =>
      tftpGet({ address: "127.0.0.1", port: server.port, path: "kernel", localAddress });
    assert.deepEqual(await elsewhere("127.0.0.2"), files["kernel"]);
    const { server: tiny } = await start(test, {
      limits: { maxTransfers: 1 },
    });
    const client = await rawClient(test);
    client.send("\0\x01kernel\0octet\0", tiny.port);
    client.send("\0\x04\0\x01", (await client.receive()).port);
    await client.receive();
    await assert.rejects(
      tftpGet({ address: "127.0.0.1", port: tiny.port, path: "kernel", localAddress: "127.0.0.3" }),
      /busy with 1 transfers/,
    );
  });

  it("forgets the transfers of a client that restarted, when it asks for more", async (test) => {
    const { server, reports } = await start(test, {
      limits: { maxTransfersPerClient: 2, firstTimeoutMs: 20, maxTimeoutMs: 60_000 },
    });
    const ask = async (): Promise<string> => {
      const client = await rawClient(test);
      client.send("\0\x01kernel\0octet\0tsize\x000\0", server.port);
      return (await client.receive()).text;
    };
    for (let boot = 0; boot < 6; boot++) {
      assert.equal(await ask(), "\0\x06tsize\x00300001\0");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(server.statistics().active, 2);
    assert.equal(reports.length, 4);
    for (const { reason } of reports) assert.match(reason ?? "", /another transfer needed its place/);
  });

  it("serves a client at once, whoever began transfers from many addresses and never acknowledged them", async (test) => {
    const { server, problems } = await start(test, { limits: { maxTransfers: 16 } });
    const strangers = Array.from({ length: 20 }, (_, index) => rawClient(test, `127.0.1.${index + 1}`));
    for (const stranger of await Promise.all(strangers)) stranger.send("\0\x01kernel\0octet\0", server.port);
    await until(() => server.statistics().transfers === 4, "the strangers have not all asked");
    const get = () => tftpGet({ address: "127.0.0.1", port: server.port, path: "kernel", localAddress: "127.0.0.9" });
    assert.deepEqual(await get(), files["kernel"]);
    assert.ok(server.statistics().active <= 16);
    assert.deepEqual(problems, []);
  });

  it("brings three packets to an address that never acknowledges", async (test) => {
    const clock = createManualClock();
    const { server, reports } = await start(test, { clock });
    const client = await rawClient(test);
    client.send("\0\x01kernel\0octet\0", server.port);
    for (let packet = 0; packet < 3; packet++) {
      assert.equal((await client.receive()).text.slice(0, 4), "\0\x03\0\x01");
      await clock.advanceSettling(8000);
    }
    await untilReported(reports);
    assert.partialDeepStrictEqual(reports[0], { outcome: "aborted", bytes: 0, retransmits: 2 });
    assert.equal(server.statistics().active, 0);
  });

  it("answers from the address that was asked, also one that the machine gets later", async (test) => {
    const own = ["127.0.0.1", "127.0.0.2"];
    const clock = createManualClock();
    const { server, problems } = await start(test, { address: "0.0.0.0", ownAddresses: () => own, clock });
    assert.equal(server.address, "0.0.0.0");
    const get = (address: string) => tftpGet({ address, port: server.port, path: "one-block", timeoutMs: 500 });
    for (const address of own) assert.deepEqual(await get(address), files["one-block"]);

    own.push("127.0.0.3");
    await clock.advanceSettling(2000);
    await until(() => get("127.0.0.3").then((got) => got.length > 0, () => false), "127.0.0.3 is not served"); // biome-ignore format: one line
    own.splice(1, 1);
    await clock.advanceSettling(2000);
    await assert.rejects(tftpGet({ address: "127.0.0.2", port: server.port, path: "one-block", timeoutMs: 50 }));
    assert.deepEqual(problems, []);
  });

  it("does not begin where another server has one of the addresses, and leaves none of them taken", async (test) => {
    const held = await rawClient(test);
    const { port } = held.socket.address();
    const own = ["127.0.0.2", "127.0.0.1"];
    await assert.rejects(start(test, { address: "0.0.0.0", port, ownAddresses: () => own }), { code: "EADDRINUSE" });
    const { problems } = await start(test, { address: "127.0.0.2", port });
    assert.deepEqual(problems, []);
  });

  it("says once that an address which the machine got later is taken, and serves it when it is free", async (test) => {
    const own = ["127.0.0.1"];
    const clock = createManualClock();
    const { server, problems } = await start(test, { address: "0.0.0.0", ownAddresses: () => own, clock });
    const other = createSocket("udp4");
    other.bind(server.port, "127.0.0.2");
    await once(other, "listening");
    own.push("127.0.0.2");
    for (let look = 0; look < 3; look++) {
      await clock.advanceSettling(2000);
      await until(() => problems.length > 0, "nothing was reported");
    }
    assert.deepEqual(problems.map(({ kind, peer }) => [kind, peer]), [["socket", { address: "127.0.0.2", port: server.port }]]); // biome-ignore format: one line
    other.close();
    await once(other, "close");
    await clock.advanceSettling(2000);
    const get = () => tftpGet({ address: "127.0.0.2", port: server.port, path: "one-block", timeoutMs: 500 });
    await until(() => get().then((got) => got.length > 0, () => false), "127.0.0.2 is not served"); // biome-ignore format: one line
  });

  it("serves many clients at once, each its own file", async (test) => {
    const { get, server } = await start(test, {
      files: inMemoryFiles((path) => bytesOf(path, 100_000)),
      limits: { maxTransfersPerClient: 64 },
    });
    const paths = Array.from({ length: 50 }, (_, index) => `file-${index}`);
    const fetched = await Promise.all(paths.map((path) => get(path)));
    for (const [index, path] of paths.entries()) assert.ok(fetched[index]?.equals(bytesOf(path, 100_000)), path);
    await untilIdle(server);
    assert.partialDeepStrictEqual(server.statistics(), { served: 50, bytes: 5_000_000 });
  });

  for (const weather of [
    { seed: 1, lose: 0.1, double: 0, delay: 0 },
    { seed: 2, lose: 0, double: 0.3, delay: 0 },
    { seed: 3, lose: 0, double: 0, delay: 0.3 },
    { seed: 4, lose: 0.1, double: 0.1, delay: 0.1 },
  ])
    it(`delivers every byte when packets fare like ${JSON.stringify(weather)}`, async (test) => {
      const { server, reports } = await start(test, {
        // Silences by the hundred: a busy machine is silent for longer than the weather. Of three option acknowledgements, which
        // are all that one gets who never answers, this weather loses all, or what answers them, for one client in 150.
        limits: { firstTimeoutMs: 15, maxTimeoutMs: 30, maxSilences: 300, maxUnprovenSends: 300 },
      });
      const proxy = await startLossyProxy(server.port, weather);
      test.after(() => proxy.close());
      const clients = [[1468, 8], [1468, 1], [512, 4], [1024, 64]] as const; // biome-ignore format: a table
      const fetched = await Promise.all(
        clients.map(([blksize, windowsize]) =>
          tftpGet({
            address: "127.0.0.1",
            port: proxy.port,
            path: "kernel",
            blksize,
            windowsize,
            timeoutMs: 250,
            maxTimeouts: 400,
          }),
        ),
      );
      for (const content of fetched) assert.ok(content.equals(files["kernel"] ?? Buffer.alloc(0)));
      assert.ok(proxy.counts.lose + proxy.counts.double + proxy.counts.delay > 50, JSON.stringify(proxy.counts));
      await server.close();
      assert.equal(reports.filter(({ outcome }) => outcome !== "aborted").length, clients.length);
    });

  it("tells clients when it closes, and leaves nothing open", async (test) => {
    const { server, get, files: source } = await start(test);
    const client = await rawClient(test);
    client.send("\0\x01kernel\0octet\0", server.port);
    await client.receive();
    await server.close();
    assert.equal((await client.receive()).text, "\0\x05\0\0the server is shutting down\0");
    assert.deepEqual(source.closed, [{ path: "kernel", outcome: "aborted", bytes: 0 }]);
    await assert.rejects(get("one-byte", { timeoutMs: 1, maxTimeouts: 1 }), /fell silent/);
  });

  it("closes when its signal is aborted, and does not start with one that was", async (test) => {
    const abort = new AbortController();
    const { get } = await start(test, { signal: abort.signal });
    await get("one-byte");
    abort.abort();
    await assert.rejects(get("one-byte", { timeoutMs: 1, maxTimeouts: 1 }), /fell silent/);
    await assert.rejects(start(test, { signal: abort.signal }), { name: "AbortError" });
  });

  it(
    "outlives datagrams that nobody can be answered for, at its port and at a transfer's",
    requires("root"),
    async (test) => {
      const { server, get, problems } = await start(test);
      const client = await rawClient(test);
      client.send("\0\x01kernel\0octet\0", server.port);
      const { port: transferPort } = await client.receive();
      await sendFromPort0("\0\x01kernel\0octet\0", server.port);
      await sendFromPort0("nonsense", server.port);
      await sendFromPort0("\0\x04\0\x01", transferPort);
      await until(() => problems.length === 2, "not every stray packet was noted", patience);
      assert.deepEqual(
        problems.map(({ kind }) => kind),
        ["stray", "stray"],
      );
      assert.ok((await get("kernel")).equals(files["kernel"] ?? Buffer.alloc(0)));
    },
  );

  it("says why it cannot listen", async (test) => {
    const { server } = await start(test);
    await assert.rejects(start(test, { port: server.port }), { code: "EADDRINUSE" });
  });
});
