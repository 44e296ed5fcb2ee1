// The TFTP server and the boot files behind it, against clients that others wrote: tftp-hpa, atftp and curl.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { pino } from "pino";
import { createBootFiles } from "../../controller/boot/boot-files.ts";
import { createTftpServer, type TftpServer, type TransferReport } from "../../controller/boot/tftp/tftp-server.ts";
import type { BootFetch } from "../../controller/nodes/boot-fetch.ts";
import { tftpGet } from "../rack/machine/tftp-client.ts";
import { bytesOf } from "../unit/controller/boot/tftp/in-memory-files.ts";
import { until } from "../until.ts";

/** More blocks of 512 bytes than a block number can count. */
const beyondRollover = 65_536 * 512 + 5000;

const sizes = {
  empty: 0,
  "one-byte": 1,
  "one-block": 512,
  "a-byte-less": 511,
  "ten-blocks": 10 * 512,
  "ten-large-blocks": 10 * 1468,
  "a-window": 8 * 1468,
  "beyond-rollover": beyondRollover,
} as const;
const names = Object.keys(sizes) as (keyof typeof sizes)[];

interface Client {
  readonly name: string;
  /** Fetches a file to a path; rejects when the program fails. */
  get(remote: string, local: string, port: number): Promise<unknown>;
}

const clients: readonly Client[] = [
  {
    name: "tftp-hpa",
    get: async (remote, local, port) => {
      // It exits with 0 whatever happened; what went wrong is in its output.
      const { all } = await execa("tftp", ["-m", "binary", "127.0.0.1", `${port}`, "-c", "get", remote, local], {
        all: true,
      });
      if (all !== "") throw new Error(all);
    },
  },
  {
    name: "atftp without options",
    get: (remote, local, port) => execa("atftp", ["--get", "-r", remote, "-l", local, "127.0.0.1", `${port}`]),
  },
  {
    name: "atftp with windows",
    get: (remote, local, port) =>
      execa("atftp", [
        ...["blksize 1468", "windowsize 8", "tsize 0", "timeout 2"].flatMap((option) => ["--option", option]),
        ...["--get", "-r", remote, "-l", local, "127.0.0.1", `${port}`],
      ]),
  },
  {
    name: "curl",
    get: (remote, local, port) => execa("curl", ["-sS", "-o", local, `tftp://127.0.0.1:${port}/${remote}`]),
  },
  {
    name: "curl with large blocks",
    get: (remote, local, port) =>
      execa("curl", ["-sS", "--tftp-blksize", "8192", "-o", local, `tftp://127.0.0.1:${port}/${remote}`]),
  },
  {
    name: "curl without options",
    get: (remote, local, port) =>
      execa("curl", ["-sS", "--tftp-no-options", "-o", local, `tftp://127.0.0.1:${port}/${remote}`]),
  },
];

describe("TFTP with real clients", { concurrency: false }, () => {
  let folder = "";
  let server: TftpServer;
  const digests = new Map<string, string>();
  const reports: TransferReport[] = [];
  const fetches: BootFetch[] = [];

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-tftp-clients-"));
    await mkdir(path.join(folder, "tree"));
    await mkdir(path.join(folder, "got"));
    for (const name of names) {
      const content = bytesOf(name, sizes[name]);
      digests.set(name, createHash("sha256").update(content).digest("hex"));
      await writeFile(path.join(folder, "tree", name), content);
    }
    const files = createBootFiles({
      tree: path.join(folder, "tree"),
      images: { bootFile: () => undefined },
      bootSpecFor: async (mac) => ({ label: "agent", kernel: "vmlinuz", commandLine: [`pallet.node=${mac}`] }),
      recordFetch: (fetch) => fetches.push(fetch),
      log: pino({ level: "silent" }),
    });
    server = await createTftpServer({
      address: "127.0.0.1",
      port: 0,
      files,
      limits: { maxTransfersPerClient: 64 },
      onTransfer: (report) => reports.push(report),
    });
  });
  after(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Fetches with a client and holds the result against the file. */
  async function fetchAndCompare(client: Client, name: string, as = name): Promise<void> {
    const local = path.join(folder, "got", as);
    await rm(local, { force: true });
    // curl makes no file for one without bytes.
    if (sizes[name as keyof typeof sizes] === 0) await writeFile(local, "");
    await client.get(name, local, server.port);
    const hash = createHash("sha256");
    for await (const piece of createReadStream(local)) hash.update(piece as Buffer);
    assert.equal(hash.digest("hex"), digests.get(name), `${client.name} got something else for ${name}`);
    await rm(local);
  }

  for (const client of clients)
    for (const name of names)
      it(`serves ${name} (${sizes[name]} bytes) to ${client.name}`, { timeout: 60_000 }, async () => {
        reports.length = 0;
        await fetchAndCompare(client, name);
        await until(() => reports.length > 0, "the server did not report the transfer");
        const { outcome, bytes } = reports[0] ?? {};
        assert.deepEqual({ outcome, bytes }, { outcome: "served", bytes: sizes[name] });
      });

  it("serves what U-Boot would ask for, in U-Boot's way", async () => {
    fetches.length = 0;
    const get = (file: string) => tftpGet({ address: "127.0.0.1", port: server.port, path: file });
    await assert.rejects(get("pxelinux.cfg/00000000-0000-0000-0000-b827eb000001"), { code: 1 });
    assert.match((await get("pxelinux.cfg/01-b8-27-eb-00-00-01")).toString(), /APPEND pallet.node=b8:27:eb:00:00:01\n/);
    assert.ok((await get("/beyond-rollover")).equals(bytesOf("beyond-rollover", beyondRollover)));
    await until(() => fetches.length >= 3, "the server did not report every fetch");
    assert.deepEqual(
      fetches.map(({ mac, outcome }) => [mac, outcome]),
      [
        [undefined, "not-found"],
        ["b8:27:eb:00:00:01", "served"],
        [undefined, "served"],
      ],
    );
  });

  it("tells each client why it gets nothing", async () => {
    const refusals: readonly [client: string, remote: string, message: RegExp][] = [
      ["tftp-hpa", "nowhere", /Error code 1: nowhere: there is no such file/],
      ["tftp-hpa", "../secret", /Error code 2: .*the path leaves the boot tree/],
      ["atftp with windows", "nowhere", /there is no such file/],
      ["curl", "nowhere", /\(68\)/],
      ["curl", "%2e%2e/secret", /\(69\)/],
    ];
    for (const [name, remote, message] of refusals) {
      const client = clients.find((candidate) => candidate.name === name);
      await assert.rejects(client?.get(remote, path.join(folder, "got", "refused"), server.port) ?? fail(), message);
    }
  });

  it("refuses to be written to, and netascii", async () => {
    const local = path.join(folder, "tree", "one-block");
    const tftp = async (mode: string, ...command: string[]): Promise<string> =>
      (await execa("tftp", ["-m", mode, "127.0.0.1", `${server.port}`, "-c", ...command], { all: true })).all;
    assert.match(await tftp("binary", "put", local, "one-byte"), /Error code 2: this server is read-only/);
    assert.match(
      await tftp("netascii", "get", "one-byte", path.join(folder, "got", "x")),
      /Error code 0: mode "netascii" is not served/,
    );
    assert.equal((await readFile(path.join(folder, "tree", "one-byte"))).length, 1);
  });

  it("serves 40 clients of all kinds at once", { timeout: 120_000 }, async () => {
    const work = Array.from({ length: 40 }, (_, index) => {
      const client = clients[index % clients.length] ?? fail();
      return fetchAndCompare(client, index < 6 ? "beyond-rollover" : "ten-large-blocks", `at-once-${index}`);
    });
    await Promise.all(work);
    // One whose last acknowledgement is lost is waited for longer than the rest take.
    const patience = { withinMs: 60_000 };
    await until(() => server.statistics().active === 0, "transfers are still under way", patience);
    assert.equal(server.statistics().malformed, 0);
  });
});

function fail(): never {
  throw new Error("there is no such client");
}
