import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { stringify } from "yaml";
import { openBackup } from "../../../../controller/backup/open-backup.ts";
import { type Restored, restoreBackup } from "../../../../controller/backup/restore-backup.ts";
import { readTar } from "../../../../controller/backup/tar/read-tar.ts";
import { type TarMember, writeTar } from "../../../../controller/backup/tar/write-tar.ts";
import { compress, decompress } from "../../../../controller/backup/zstd-stream.ts";
import { readConfig } from "../../../../controller/config/read-config.ts";
import { openIdentity } from "../../../../controller/identity/open-identity.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import { openStore, type Store } from "../../../../controller/store/open-store.ts";
import { restoredStateIn } from "../../../../controller/store/restored-state.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { systemClock } from "../../../../proto/time/clock.ts";
import { requires } from "../../../requirements.ts";

const node: Node = {
  id: "b8:27:eb:00:00:01" as NodeId,
  name: "web-1",
  accepted: true,
  bootTarget: { kind: "agent" },
  lastSeenAt: 10,
  discoveredAt: 5,
};

async function* streamOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

describe("a restore", () => {
  let folder: string;
  let here: string;
  let whole: Buffer;
  let file: string;
  let secret: string;
  const state = (...parts: readonly string[]): string => path.join(here, "state", ...parts);

  /** A machine with this config: where its state, its config and its profiles are. */
  async function machineAt(place: string, settings: object = {}): Promise<string> {
    await mkdir(place, { recursive: true });
    const config = path.join(place, "pallet.yaml");
    await writeFile(config, stringify({ stateDirectory: "state", bootTree: "boot", socket: "c.sock", ...settings }));
    return config;
  }

  async function take(place: string, request = { withImages: false, regular: false }): Promise<Buffer> {
    const hook = { name: "tell", when: "after-proved", webhook: "https://example.com/", secretFile: secret };
    const configFile = await machineAt(place, { hooks: [hook] });
    await writeFile(secret, "whsec_AAAA", { mode: 0o600 });
    await mkdir(path.join(place, "profiles/keys"), { recursive: true });
    await writeFile(path.join(place, "profiles/workers.yaml"), "system: {}\n");
    await writeFile(path.join(place, "profiles/keys/ada.pub"), "ssh-ed25519 AAAA\n");
    const config = await readConfig({ options: { config: configFile }, env: {}, workingDirectory: place });
    const { stateDirectory, imageDirectory, profileDirectory } = config;
    const store = openStore(path.join(stateDirectory, "pallet.sqlite"));
    store.nodes.save(node);
    const identity = await openIdentity({
      folder: path.join(stateDirectory, "identity"),
      ...{ rows: store.identity, clock: systemClock, events: { append: () => undefined }, nodeOf: () => undefined },
    });
    const sources = {
      ...{ version: "0", clock: systemClock, stateDirectory, imageDirectory, profileDirectory, configFile, store },
      hooks: config.hooks,
      authority: () => identity.authority.current().id,
      nodes: () => 1,
      images: async () => [],
    };
    const backup = await openBackup(sources, request, new AbortController().signal);
    const bytes = Buffer.concat(await Array.fromAsync(backup.bytes));
    await backup.close();
    store.close();
    return bytes;
  }

  async function restore(options: { readonly replace?: boolean; readonly bytes?: Buffer } = {}): Promise<Restored> {
    const { replace = false, bytes = whole } = options;
    await writeFile(file, bytes);
    const inputs = { options: { config: path.join(here, "pallet.yaml") }, env: {}, workingDirectory: here };
    return restoreBackup({ file, replace, inputs, now: Date.now() });
  }

  /** The same backup with other members. */
  async function remade(change: (members: TarMember[]) => readonly TarMember[], sums = "SHA256SUMS"): Promise<Buffer> {
    const members: TarMember[] = [];
    for await (const { name, sizeBytes, content } of readTar(decompress(streamOf(whole)))) {
      const bytes = Buffer.concat(await Array.fromAsync(content()));
      if (name !== "SHA256SUMS") members.push({ name, sizeBytes, content: () => [bytes] });
    }
    const bytes = writeTar(change(members), { sumsName: sums, modifiedAt: 1 });
    return Buffer.concat(await Array.fromAsync(compress(bytes)));
  }
  const member = (name: string, text: string): TarMember => ({
    name,
    sizeBytes: text.length,
    content: () => [Buffer.from(text)],
  });

  /** The same backup, which says other things of itself. */
  async function saying(other: object): Promise<Buffer> {
    const about: object[] = [];
    for await (const { name, content } of readTar(decompress(streamOf(whole)))) {
      const text = Buffer.concat(await Array.fromAsync(content())).toString("utf8");
      if (name === "pallet-backup.json") about.push(JSON.parse(text));
    }
    const text = JSON.stringify({ ...about[0], ...other });
    return remade((members) =>
      members.map((each) => (each.name === "pallet-backup.json" ? member(each.name, text) : each)),
    );
  }

  const opened = <Result>(use: (store: Store) => Result): Result => {
    const store = openStore(state("pallet.sqlite"));
    try {
      return use(store);
    } finally {
      store.close();
    }
  };

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-restore-"));
    secret = path.join(folder, "tell.secret");
    whole = await take(path.join(folder, "old"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    here = await mkdtemp(path.join(folder, "new-"));
    file = path.join(folder, "backup.tar.zst");
    await rm(secret, { force: true });
  });
  afterEach(() => rm(here, { recursive: true, force: true }));

  it("on a bare machine makes it the controller: nodes, identity, config, profiles and secrets, its owner's alone", async () => {
    const { about, aside, placed, left } = await restore();
    assert.equal(about.nodes, 1);
    assert.equal(aside, undefined);
    assert.deepEqual(left, []);
    assert.deepEqual(placed, [
      path.join(here, "pallet.yaml"),
      secret,
      ...["keys/ada.pub", "workers.yaml"].map((name) => path.join(here, "profiles", name)),
    ]);
    for (const name of [...placed, state("pallet.sqlite"), state("identity/token.key")])
      assert.equal((await stat(name)).mode & 0o777, 0o600, name);
    for (const name of ["identity/authority.pem", "identity/token.key"])
      assert.deepEqual(await readFile(state(name)), await readFile(path.join(folder, "old/state", name)));
    opened(({ nodes, settings, lostChanges }) => {
      assert.deepEqual(nodes.all(), [node]);
      assert.equal(lostChanges, 0);
      assert.equal(restoredStateIn(settings)?.takenAt, Date.parse(about.takenAt));
    });
    assert.deepEqual(
      (await readdir(state())).filter((name) => name.startsWith(".")),
      [],
      "what it unpacked to",
    );
  });

  it("leaves what the operator has written here, and says so; its directories are this machine's", async () => {
    await machineAt(here, { stateDirectory: "elsewhere", profileDirectory: "roles", hooks: [] });
    await mkdir(path.join(here, "roles"));
    await writeFile(path.join(here, "roles/workers.yaml"), "system: { timezone: UTC }\n");
    const { placed, left, stateDirectory } = await restore();
    assert.equal(stateDirectory, path.join(here, "elsewhere"));
    assert.deepEqual(placed, [path.join(here, "roles/keys/ada.pub")]);
    assert.deepEqual(left, [path.join(here, "pallet.yaml"), path.join(here, "roles/workers.yaml")]);
    assert.match(await readFile(path.join(here, "roles/workers.yaml"), "utf8"), /UTC/);
  });

  it("refuses a machine that has a state, unless it may put that aside, whole", async () => {
    await restore();
    opened(({ nodes }) => nodes.save({ ...node, name: "other" }));
    await assert.rejects(restore(), /holds the state of a controller already .*--replace/s);
    opened(({ nodes }) => assert.equal(nodes.all()[0]?.name, "other"));
    const { aside } = await restore({ replace: true });
    opened(({ nodes }) => assert.equal(nodes.all()[0]?.name, "web-1"));
    assert.ok(aside);
    const before = openStore(path.join(aside, "pallet.sqlite"));
    assert.equal(before.nodes.all()[0]?.name, "other");
    before.close();
    assert.deepEqual((await readdir(path.join(aside, "identity"))).toSorted(), [
      "authority.pem",
      "former",
      "token.key",
    ]);
  });

  it("takes the place of a database that is damaged", async () => {
    await restore();
    await truncate(state("pallet.sqlite"), 5000);
    await restore({ replace: true });
    opened(({ nodes }) => assert.deepEqual(nodes.all(), [node]));
  });

  it("refuses while a controller has the state open, or answers at the socket", async () => {
    await restore();
    const store = openStore(state("pallet.sqlite"));
    await assert.rejects(restore({ replace: true }), /a controller has .*pallet\.sqlite open: stop it first/);
    store.close();
    const server = createServer().listen(path.join(here, "c.sock"));
    await assert.rejects(restore({ replace: true }), /a controller runs here .*c\.sock/);
    await new Promise((resolve) => server.close(resolve));
  });

  it(
    "gives a state folder that root shares with a group's user its files, and has him only read what root has",
    requires("root"),
    async () => {
      const [daemon, itsGroup] = [1, 1];
      await mkdir(state(), { recursive: true });
      await chown(state(), 0, itsGroup);
      await chmod(state(), 0o1770);
      // A second time over what is there, in spite of fs.protected_regular.
      for (const replace of [false, true]) {
        const { placed } = await restore({ replace });
        for (const name of ["pallet.sqlite", "pallet.sqlite.mark", "identity", "identity/token.key"]) {
          const { uid, gid } = await stat(state(name));
          assert.deepEqual([uid, gid], [daemon, itsGroup], name);
        }
        for (const name of placed) {
          const { uid, gid, mode } = await stat(name);
          assert.deepEqual([uid, gid, mode & 0o777], [0, itsGroup, 0o640], name);
        }
      }
    },
  );

  it("refuses a machine whose state is another user's", requires("root"), async () => {
    await mkdir(state(), { recursive: true });
    await chmod(here, 0o755);
    await chmod(folder, 0o755);
    await writeFile(file, whole, { mode: 0o644 });
    await chmod(file, 0o644);
    const geteuid = process.geteuid?.bind(process);
    try {
      process.seteuid?.(65_534);
      await assert.rejects(
        restoreBackup({
          ...{ file, replace: false, now: 1 },
          inputs: { options: { config: path.join(here, "pallet.yaml") }, env: {}, workingDirectory: "/" },
        }),
        /belongs to another user \(uid 0\)/,
      );
    } finally {
      process.seteuid?.(0);
    }
    assert.equal(geteuid?.(), 0);
  });

  const other = "x".repeat(64);
  for (const [title, make, says] of [
    ["is cut off", async () => whole.subarray(0, whole.length - 40), /cut off/],
    ["is no zstd file", async () => Buffer.from("hello, this is a text"), /no zstd file/],
    [
      "is another program's archive",
      () => remade(() => [member("README", "x"), member("b", "y")]),
      /it is no backup of Pallet/,
    ],
    ["begins with something else", () => remade(([, ...rest]) => rest), /no backup of Pallet/],
    [
      "has an absolute path",
      () => remade((all) => [...all, member("/etc/cron.d/x", "x")]),
      /"\/etc\/cron\.d\/x", which is no part/,
    ],
    [
      "has a path that leads out",
      () => remade((all) => [...all, member("profiles/../../x", "x")]),
      /no part of a backup/,
    ],
    [
      "has an image's path that leads out",
      () => remade((all) => [...all, member("images/../x", "x")]),
      /no part of a backup/,
    ],
    ["has a hidden image", () => remade((all) => [...all, member("images/.x/y", "x")]), /no part of a backup/],
    ["has a file twice", () => remade((all) => [...all, ...all.slice(-1)]), /EEXIST|twice/],
    [
      "has a config that is too large",
      () =>
        remade(
          ([first, , ...rest]) =>
            [
              first,
              { name: "config/pallet.yaml", sizeBytes: 2 ** 25, content: () => [Buffer.alloc(2 ** 25)] },
              ...rest,
            ] as TarMember[],
        ),
      /config\/pallet\.yaml in it has 33554432 bytes, more than/,
    ],
    [
      "has no database",
      () => remade((all) => all.filter(({ name }) => name !== "pallet.sqlite")),
      /pallet\.sqlite is missing/,
    ],
    [
      "has no key",
      () => remade((all) => all.filter(({ name }) => name !== "identity/token.key")),
      /identity\/token\.key is missing/,
    ],
    [
      "has an authority that is damaged",
      () =>
        remade((all) => all.map((each) => (each.name === "identity/authority.pem" ? member(each.name, "x") : each))),
      /authority\.pem is damaged/,
    ],
    [
      "has a database that is damaged",
      () =>
        remade((all) =>
          all.map((each) => (each.name === "pallet.sqlite" ? member(each.name, "x".repeat(8192)) : each)),
        ),
      /the database in it cannot be used: .*not a database/,
    ],
    ["has no digests", () => remade((all) => all, "profiles/sums"), /has no SHA256SUMS/],
    [
      "has other digests",
      () =>
        remade(
          (all) => [...all, member("SHA256SUMS", all.map(({ name }) => `${"ab".repeat(32)}  ${name}\n`).join(""))],
          "profiles/z",
        ),
      /comes after SHA256SUMS|is damaged/,
    ],
    ["is of a newer form", () => saying({ format: 2, pallet: "9.0" }), /taken by a newer Pallet \(9\.0\)/],
    ["is of a newer schema", () => saying({ schema: 99 }), /taken by a newer Pallet/],
    [
      "says that it has an image, which it has not",
      () => saying({ images: [{ name: "a", digest: other, isIn: true }] }),
      /the image a in it cannot be used/,
    ],
  ] as const satisfies readonly (readonly [string, () => Promise<Buffer>, RegExp])[]) {
    it(`refuses a backup that ${title}, and changes nothing`, async () => {
      await assert.rejects(restore({ bytes: await make() }), (error: Error) => {
        assert.match(error.message, says);
        assert.match(error.message, /^cannot restore .*backup\.tar\.zst: /);
        return true;
      });
      assert.deepEqual(await readdir(here), []);
    });
  }

  it("refuses a backup whose content is not what its digests say, and changes nothing", async () => {
    const parts: Buffer[] = [];
    for await (const piece of decompress(streamOf(whole))) parts.push(Buffer.from(piece));
    const plain = Buffer.concat(parts);
    plain[plain.indexOf("ssh-ed25519 AAAA") + 12] = "B".charCodeAt(0);
    const bytes = Buffer.concat(await Array.fromAsync(compress(streamOf(plain))));
    await assert.rejects(restore({ bytes }), /profiles\/keys\/ada\.pub in it is damaged/);
    assert.deepEqual(await readdir(here), []);
  });
});
