import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { type BootFilesOptions, createBootFiles } from "../../../../controller/boot/boot-files.ts";
import type { BootSpec } from "../../../../controller/boot/boot-spec.ts";
import { createFirmwareBoot } from "../../../../controller/boot/firmware-boot.ts";
import type { BootFetch } from "../../../../controller/nodes/boot-fetch.ts";
import type { RootId } from "../../../../controller/roots/root-id.ts";
import { digest, mac } from "./a-node.ts";

const agent: BootSpec = { label: "agent", kernel: "agent/vmlinuz", commandLine: ["quiet"] };
const client = { address: "10.77.0.11" };
let folder = "";

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "pallet-boot-files-"));
  const tree = path.join(folder, "tree");
  await mkdir(path.join(tree, "agent"), { recursive: true });
  await mkdir(path.join(tree, "5e1fabcd"));
  await mkdir(path.join(folder, "images"));
  await mkdir(path.join(folder, "tree-beside"));
  const contents: Record<string, string> = {
    "tree/agent/vmlinuz": "the kernel",
    "tree/start4.elf": "everybody's firmware",
    "tree/config.txt": "everybody's config",
    "tree/5e1fabcd/config.txt": "one board's config",
    "tree-beside/secret": "secret",
    secret: "secret",
    "images/vmlinuz": "the image's kernel",
  };
  for (const [name, content] of Object.entries(contents)) await writeFile(path.join(folder, name), content);
  const links: Record<string, string> = {
    "tree/link-inside": "agent/vmlinuz",
    "tree/folder-inside": "agent",
    "tree/link-outside": "../secret",
    "tree/link-beside": "../tree-beside/secret",
    "tree/folder-outside": "..",
    "tree/link-absolute": path.join(folder, "secret"),
    "tree/link-nowhere": "nothing",
    "tree/link-circle": "link-circle",
    "images/initrd": "../secret",
  };
  for (const [name, target] of Object.entries(links)) await symlink(target, path.join(folder, name));
  execFileSync("mkfifo", [path.join(tree, "fifo")]);
});
after(() => rm(folder, { recursive: true, force: true }));

function setUp(options: Partial<BootFilesOptions> = {}) {
  const fetches: BootFetch[] = [];
  const asked: [string, string][] = [];
  const files = createBootFiles({
    tree: path.join(folder, "tree"),
    images: {
      bootFile: (of, file) =>
        of === digest && ["vmlinuz", "initrd"].includes(file) ? path.join(folder, "images", file) : undefined,
    },
    bootSpecFor: async (node, address) => {
      asked.push([node, address]);
      return agent;
    },
    recordFetch: ({ durationMs: _, requestedPath: __, protocol: ___, ...fetch }) => fetches.push(fetch),
    log: pino({ level: "silent" }),
    ...options,
  });
  /** Content of a file as text, or why there is none. */
  const get = async (requestPath: string): Promise<string> => {
    const opened = await files.open(requestPath, client);
    if (opened.kind !== "file") return opened.kind;
    const bytes = Buffer.alloc(opened.content.sizeBytes + 1);
    const read = await opened.content.read(bytes, 0);
    await opened.content.close({ outcome: "served", bytes: read, silentMs: 0 });
    return bytes.toString("utf8", 0, read);
  };
  return { files, get, fetches, asked };
}

describe("boot files of a version of the root filesystem", () => {
  const id = "20261128-221500-3fa9c1d2" as RootId;
  const version = () => path.join(folder, "version");
  const rootFolder = async (asked: RootId) => (asked === id ? version() : undefined);
  before(async () => {
    await mkdir(path.join(version(), "root/etc"), { recursive: true });
    await writeFile(path.join(version(), "vmlinuz"), "the version's kernel");
    await writeFile(path.join(version(), "root/etc/shadow"), "secret");
  });

  it("are those of that version alone, and nothing else of it", async () => {
    const { get } = setUp({ rootFolder });
    assert.equal(await get(`agent/${id}/vmlinuz`), "the version's kernel");
    // In the folder of a board, as firmware asks.
    assert.equal(await get(`5e1fabcd/agent/${id}/vmlinuz`), "the version's kernel");
    assert.equal(await get("agent/20260101-000000-00000000/vmlinuz"), "not-found");
    assert.equal(await get(`agent/${id}/initrd.img`), "not-found");
    assert.equal(await get(`agent/${id}/root/etc/shadow`), "not-found");
  });

  it("are read to their end by a transfer that began before the version was removed", async () => {
    const { files } = setUp({ rootFolder });
    const opened = await files.open(`agent/${id}/vmlinuz`, client);
    assert.ok(opened.kind === "file");
    await rm(version(), { recursive: true });
    const bytes = Buffer.alloc(opened.content.sizeBytes);
    assert.equal(await opened.content.read(bytes, 0), bytes.length);
    assert.equal(bytes.toString(), "the version's kernel");
    await opened.content.close({ outcome: "served", bytes: bytes.length, silentMs: 0 });
  });
});

describe("boot files", () => {
  const cases: readonly [requestPath: string, content: string][] = [
    ["agent/vmlinuz", "the kernel"],
    ["/agent//vmlinuz", "the kernel"],
    ["agent\\vmlinuz", "the kernel"],
    ["start4.elf", "everybody's firmware"],
    ["5e1fabcd/start4.elf", "everybody's firmware"],
    ["5e1fabcd/config.txt", "one board's config"],
    ["aaaaaaaa/config.txt", "everybody's config"],
    ["link-inside", "the kernel"],
    ["folder-inside/vmlinuz", "the kernel"],
    [`images/${digest}/vmlinuz`, "the image's kernel"],
    [`5e1fabcd/images/${digest}/vmlinuz`, "the image's kernel"],
    ["nothing", "not-found"],
    ["agent/vmlinuz/deeper", "not-found"],
    ["link-nowhere", "not-found"],
    ["n".repeat(300), "not-found"],
    ["5e1fabcd/bootsig.bin", "not-found"],
    ["pxelinux.cfg/default-arm", "not-found"],
    ["pxelinux.cfg/0A4D0001", "not-found"],
    [`images/${digest}/unlisted`, "not-found"],
    [`images/${"0".repeat(64)}/vmlinuz`, "not-found"],
    ["agent", "refused"],
    ["fifo", "refused"],
    ["link-outside", "refused"],
    ["link-beside", "refused"],
    ["link-absolute", "refused"],
    ["link-circle", "refused"],
    ["folder-outside/secret", "refused"],
    ["../secret", "refused"],
    ["agent/../../secret", "refused"],
    ["agent/vmlinuz\0.txt", "refused"],
    [`images/${digest}/../secret`, "refused"],
    [`images/${digest}/initrd`, "refused"],
  ];
  for (const [requestPath, content] of cases)
    it(`gives for ${JSON.stringify(requestPath.slice(0, 90))}: ${content}`, async () => {
      const { get, fetches } = setUp();
      assert.equal(await get(requestPath), content);
      const refused = content === "refused" || content === "not-found";
      assert.deepEqual(fetches, [
        {
          ...client,
          path: requestPath,
          outcome: refused ? content : "served",
          bytes: refused ? 0 : content.length,
          silentMs: 0,
        },
      ]);
    });

  it("renders a node's config when it is asked for, not before", async () => {
    let spec = agent;
    const { get, asked, fetches } = setUp({
      bootSpecFor: async (node, address) => {
        asked.push([node, address]);
        return spec;
      },
    });
    const requestPath = "pxelinux.cfg/01-B8-27-EB-00-00-01";
    assert.match(await get(requestPath), /^DEFAULT agent\n/);
    spec = { ...agent, label: "local" };
    assert.match(await get(requestPath), /^DEFAULT local\n/);
    assert.deepEqual(asked, [
      [mac, client.address],
      [mac, client.address],
    ]);
    assert.partialDeepStrictEqual(fetches[0], { mac, path: requestPath, outcome: "served" });
  });

  it("asks nobody for configs that are not one node's", async () => {
    const { get, asked } = setUp();
    for (const name of ["default", "default-arm-bcm283x", "0A4D", "01-ff-ff-ff-ff-ff-ff"])
      await get(`pxelinux.cfg/${name}`);
    assert.deepEqual(asked, []);
  });

  it("offers the other target where there is a menu and something to offer", async () => {
    const menu = { title: "Pallet", timeoutMs: 5000 };
    const local: BootSpec = { label: "local", kernel: "k", commandLine: [] };
    const offered = setUp({ menu: { ...menu, otherSpecFor: async () => local } });
    assert.match(
      await offered.get("pxelinux.cfg/01-b8-27-eb-00-00-01"),
      /MENU TITLE Pallet\n.*LABEL agent.*LABEL local/s,
    );
    const nothing = setUp({ menu: { ...menu, otherSpecFor: async () => undefined } });
    assert.doesNotMatch(await nothing.get("pxelinux.cfg/01-b8-27-eb-00-00-01"), /MENU/);
  });

  it("ends every boot config with the node's own words, new for each, whoever loads it", async () => {
    let count = 0;
    const wordsFor = (node: string): readonly string[] => [`pallet.token=${node}/${++count}`];
    const local: BootSpec = { label: "local", kernel: "k", commandLine: ["pallet.token=images"] };
    const firmware = createFirmwareBoot({
      loader: "firmware",
      nodeOf: async () => mac,
      specOf: async () => local,
      noteBoot: async () => undefined,
      wordsFor,
      clock: { now: () => 0 },
    });
    const menu = { title: "Pallet", timeoutMs: 5000, otherSpecFor: async () => local };
    const { get } = setUp({ wordsFor, firmware, menu });
    const config = "pxelinux.cfg/01-b8-27-eb-00-00-01";
    const [first, second] = [await get(config), await get(config)];
    assert.match(
      first,
      /APPEND quiet pallet\.token=b8:27:eb:00:00:01\/1\n.*APPEND pallet\.token=images pallet\.token=\S+\/1\n/s,
    );
    assert.match(second, /APPEND quiet pallet\.token=b8:27:eb:00:00:01\/2\n/);
    const bootFolder = `${/os_prefix=(\S+)/.exec(await get("config.txt"))?.[1]}`;
    assert.equal(await get(`${bootFolder}cmdline.txt`), `pallet.token=images pallet.token=${mac}/3\n`);
    assert.equal(await get(`${bootFolder}cmdline.txt`), `pallet.token=images pallet.token=${mac}/4\n`);
  });

  it("refuses what fails, and the record of a request that fails does not fail the request", async () => {
    const failing = setUp({ bootSpecFor: () => Promise.reject(new Error("the database is gone")) });
    const opened = await failing.files.open("pxelinux.cfg/01-b8-27-eb-00-00-01", client);
    assert.ok(opened.kind === "refused");
    assert.match(opened.message, /the database is gone/);
    const unrecorded = setUp({
      recordFetch: () => {
        throw new Error("the database is gone");
      },
    });
    assert.equal(await unrecorded.get("start4.elf"), "everybody's firmware");
  });

  it("records what became of a transfer", async () => {
    const { files, fetches } = setUp();
    for (const outcome of ["unconfirmed", "aborted"] as const) {
      const opened = await files.open("start4.elf", client);
      assert.ok(opened.kind === "file");
      await opened.content.close({ outcome, bytes: 7, silentMs: 45_000 });
    }
    assert.deepEqual(
      fetches.map(({ outcome, bytes, silentMs }) => [outcome, bytes, silentMs]),
      [
        ["served", 7, 45_000],
        ["aborted", 7, 45_000],
      ],
    );
  });

  it("knows a client by its IPv4 address, whatever family the socket is of", async () => {
    const { files, fetches } = setUp();
    await files.open("nothing", { address: "::ffff:10.77.0.11" });
    assert.equal(fetches[0]?.address, "10.77.0.11");
  });

  it("keeps the refusal of a long and strange path short and printable", async () => {
    const { files } = setUp();
    const opened = await files.open(`\u001b[31m${"x".repeat(3000)}`, client);
    assert.ok(opened.kind === "refused" && opened.message.length < 250 && !opened.message.includes("\u001b"));
  });

  it("says not-found for everything while there is no boot tree", async () => {
    const { get } = setUp({ tree: path.join(folder, "not-made-yet") });
    assert.equal(await get("start4.elf"), "not-found");
  });
});
