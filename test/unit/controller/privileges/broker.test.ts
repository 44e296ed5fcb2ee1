// The broker as a process of root's: what it does for the controller, and that it does nothing else, whatever it is asked.
import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { Readable } from "node:stream";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { execa } from "execa";
import { type Channel, createChannel } from "../../../../controller/privileges/channel.ts";
import { throughBroker } from "../../../../controller/privileges/through-broker.ts";
import { Refusal } from "../../../../controller/refusal/refusal.ts";
import { changeRoots } from "../../../../controller/roots/change-roots.ts";
import type { RootId } from "../../../../controller/roots/root-id.ts";
import { checkout } from "../../../programs/checkout.ts";
import { ended, spawnLeashed } from "../../../programs/leashed-process.ts";
import { requires } from "../../../requirements.ts";
import { until } from "../../../until.ts";
import { image } from "../reimage/fakes/fake-rack.ts";

/** A user who is neither root nor the controller's. */
const stranger = 1;
const host = { id: "02:00:00:00:00:01", name: "node-1", accepted: true, address: "10.77.0.9", lastSeenAt: 1 };

describe("the broker", { ...requires("root"), timeout: 300_000 }, () => {
  let folder: string;
  let store: string;
  let socket: string;
  let ids: readonly RootId[];
  let broker: ReturnType<typeof spawnLeashed>;
  let end: Promise<unknown>;
  let said = "";

  const add = (): Promise<RootId> =>
    changeRoots(store, async (roots) => {
      const { id } = await roots.add(async ({ version }) => {
        await mkdir(path.join(version, "root"));
        await writeFile(path.join(version, "manifest.json"), '{"agent": {"sizeBytes": 1, "digest": "0"}}');
      });
      await roots.use(id);
      return id;
    });
  const versions = async (): Promise<readonly string[]> => (await readdir(path.join(store, "versions"))).toSorted();
  const connected: Socket[] = [];
  const open = (): Channel => {
    const connection = connect(socket);
    connected.push(connection);
    return createChannel(connection);
  };
  /** What the broker says to a request, and to what follows. */
  const answerTo = async (...sent: readonly object[]): Promise<string> => {
    const channel = open();
    const answers: string[] = [];
    for (const each of sent) {
      await channel.send(each);
      const message = await channel.next();
      answers.push(message?.kind === "value" ? JSON.stringify(message.value) : String(message?.kind));
    }
    channel.close();
    return answers.join("\n");
  };
  const programs = async (): Promise<string> =>
    (await execa("ps", ["--ppid", String(broker.pid), "-o", "comm="], { reject: false })).stdout;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-broker-"));
    await chmod(folder, 0o755);
    [store, socket] = [path.join(folder, "rootfs"), path.join(folder, "broker.sock")];
    await mkdir(store, { mode: 0o755 });
    ids = [await add(), await add(), await add()];
    await writeFile(
      path.join(folder, "pallet.yaml"),
      `listen: 10.77.0.1\ndhcp: {mode: server, interface: none0}\n` +
        `nfs: {mode: ganesha, rootfs: ${store}, clients: 10.77.0.0/24}\n`,
    );
    broker = spawnLeashed(process.execPath, [
      ...[path.join(checkout, "controller/main.ts"), "broker", "--user", "nobody"],
      ...["--directory", path.join(folder, "state"), "--config", path.join(folder, "pallet.yaml"), "--listen", socket],
    ]);
    end = ended(broker);
    for (const stream of [broker.stdout, broker.stderr])
      stream?.setEncoding("utf8").on("data", (text) => (said += text));
    await until(
      () => said.includes("listens"),
      () => said,
      { withinMs: 120_000 },
    );
  });
  after(async () => {
    broker.kill("SIGKILL");
    await end;
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    connected.length = 0;
  });
  afterEach(() => {
    for (const each of connected) each.destroy();
  });

  for (const [what, sent, refusal] of [
    ["a verb that it has not", { verb: "run", command: ["/bin/sh"] }, /request is refused: verb/],
    ["a text for dnsmasq's configuration", { verb: "dnsmasq", configuration: "dhcp-script=/bin/sh" }, /is refused/],
    [
      "a setting of dnsmasq beside those that there are",
      { verb: "dnsmasq", dhcp: { mode: "server", script: "/bin/sh" }, advertise: "10.77.0.1", hosts: [] },
      /dhcp in .* is not what the controller goes by/,
    ],
    [
      "a node whose name is two lines",
      { verb: "dnsmasq", dhcp: {}, advertise: "", hosts: [{ ...host, name: "a\ndhcp-script=/bin/sh" }] },
      /hosts\.0\.name: must be the name of a node/,
    ],
    [
      "a node whose address is two fields",
      { verb: "dnsmasq", dhcp: {}, advertise: "", hosts: [{ ...host, address: "10.77.0.9,set:known" }] },
      /hosts\.0\.address: must be an IPv4 address/,
    ],
    [
      "a node whose MAC address is a pattern",
      { verb: "dnsmasq", dhcp: {}, advertise: "", hosts: [{ ...host, id: "*:*:*:*:*:*" }] },
      /hosts\.0\.id: must be a MAC address/,
    ],
    ["an export of all", { verb: "nfs", mode: "ganesha", path: "/" }, /nfs\.rootfs in .* is not what the controller/],
    ["an export of what it serves not", { verb: "nfs", mode: "kernel", path: "/etc" }, /nfs\.mode in .* is not what/],
    [
      "an export by a way around",
      () => ({ verb: "nfs", mode: "ganesha", path: `${store}/../rootfs` }),
      /nfs\.rootfs in .* is not what the controller/,
    ],
    ["another store", { verb: "roots", store: "/var/lib" }, /nfs\.rootfs in .* is not what the controller/],
    ["an image of no shape", { verb: "derive", image: { partitions: "many" } }, /request is refused: image: /],
    ["an image that is none", { verb: "derive" }, /request is refused: image: /],
    ["what is too much", { verb: "roots", store: "/", force: true }, /request is refused: it: /],
  ] as const)
    it(`refuses ${what}, and does nothing`, async () => {
      const before = await versions();
      assert.match(await answerTo(typeof sent === "function" ? sent() : sent), refusal);
      assert.deepEqual(await versions(), before);
      assert.equal(await programs(), "");
    });

  it("refuses what is no frame, and says so", async () => {
    const connection = connect(socket);
    const channel = createChannel(connection);
    connection.write("GET / HTTP/1.1\r\nHost: broker\r\n\r\n");
    const message = await channel.next();
    assert.match(JSON.stringify(message), /no frame of the broker's protocol/);
    channel.close();
  });

  it("removes a version that is not for new boots, one after the other", async () => {
    const [first = "" as RootId] = ids;
    assert.match(
      await answerTo({ verb: "roots", store }, { remove: first }, { remove: first }),
      /^\{"ready":true\}\n\{"done":true\}\n\{"failure":.*ENOENT/,
    );
    assert.ok(!(await versions()).includes(first));
  });

  for (const [what, remove, refusal] of [
    ["a way out of the store", "../../etc", /removal is refused: remove: must be the id of a version/],
    ["a name with a slash", "20260101-000000-00000000/root", /must be the id of a version/],
  ] as const)
    it(`removes nothing by ${what}`, async () => {
      const before = await versions();
      assert.match(await answerTo({ verb: "roots", store }, { remove }), refusal);
      assert.deepEqual(await versions(), before);
    });

  it("removes not the version that new boots get", async () => {
    assert.match(await answerTo({ verb: "roots", store }, { remove: ids[2] }), /new boots get .* cannot be removed/);
    assert.ok((await versions()).includes(ids[2] ?? ""));
  });

  it("has the store to itself while it is asked for, and no longer", async () => {
    const channel = open();
    await channel.send({ verb: "roots", store });
    await channel.next();
    await assert.rejects(
      changeRoots(store, async () => undefined),
      /another process is changing/,
    );
    channel.close();
    const free = (): Promise<boolean> => changeRoots(store, async () => true).catch(() => false);
    await until(free, "it keeps the store");
  });

  it("acts on no store that somebody else could have put there", async () => {
    await chown(store, stranger, 0);
    try {
      assert.match(await answerTo({ verb: "roots", store }), /of which not root alone decides what it is/);
      assert.match(
        await answerTo({ verb: "nfs", mode: "ganesha", path: store }),
        /not root alone decides|no IPv4|cannot tell/,
      );
    } finally {
      await chown(store, 0, 0);
    }
    const config = path.join(folder, "pallet.yaml");
    await chown(config, stranger, 0);
    assert.match(
      await answerTo({ verb: "roots", store }),
      /the configuration is .*pallet\.yaml, of which not root alone/,
    );
    await chown(config, 0, 0);
  });

  it("hears nobody but root and the controller's user, whatever the socket lets in", async () => {
    await chmod(socket, 0o666);
    const script = "use IO::Socket::UNIX; sysread(IO::Socket::UNIX->new(Peer => $ARGV[0]), $said, 4096); print $said";
    const { stdout } = await execa("setpriv", [
      ...["--reuid", String(stranger), "--regid", String(stranger), "--clear-groups"],
      ...["perl", "-e", script, socket],
    ]);
    assert.match(stdout, /only nobody and root may ask the broker, not daemon/);
  });

  it("says which of its folders is full, whatever came to fill it", requires("FUSE"), async () => {
    const images = path.join(folder, "state/images");
    await execa("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", images]);
    try {
      const { layOut } = throughBroker(socket);
      const bytes = Buffer.alloc(2 ** 20, "not zeros");
      // A partition table, by which it is a disk's.
      bytes.fill(0, 446, 510).writeUInt16BE(0x55aa, 510);
      await writeFile(path.join(folder, "large"), bytes);
      const tree = await execa("tar", ["--create", "--directory", folder, "large"], { encoding: "buffer" });
      for (const source of [bytes, tree.stdout]) {
        const request = {
          ...{ old: image, folder, signal: new AbortController().signal, onStep: () => undefined },
          source: Readable.from([source]),
          stored: () => Readable.from([]),
        };
        await assert.rejects(
          layOut(request),
          (error) =>
            error instanceof Refusal &&
            error.kind === "exhausted" &&
            error.message.startsWith(`no space left in ${images}, `) &&
            /mount a larger one there/.test(error.message) &&
            !/imageDirectory/.test(error.message),
        );
      }
      assert.deepEqual(await readdir(images), []);
    } finally {
      await execa("umount", [images]);
    }
  });

  it("says what to do where it does not answer", async () => {
    const remedy =
      /its broker does not answer at .*nowhere \(ENOENT\): start it \(systemctl enable --now pallet-broker\.socket\)/;
    await assert.rejects(
      throughBroker(path.join(folder, "nowhere")).nfsServers.ganesha({ nfsExport: { path: store } } as never),
      remedy,
    );
  });
});
