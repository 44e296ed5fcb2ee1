// The controller's NFS export: a real nfs-ganesha, read by a client in user space (libnfs), for this kernel may have
// none.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { changeRoots } from "../../controller/roots/change-roots.ts";
import type { Root } from "../../controller/roots/read-roots.ts";
import type { Network, Port } from "../rack/network.ts";
import type { NetworkNamespace } from "../rack/network-namespace.ts";
import { createRack, type Rack } from "../rack/rack.ts";
import { createScratchFolder, type ScratchFolder } from "../rack/scratch-folder.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";
import { serveUntilEnd } from "./serve-until-end.ts";

/** Each look is a program that is run. */
const patience = { everyMs: 100 };

const listens = async ({ namespace }: Network, port: number): Promise<boolean> =>
  (await namespace.run("ss", ["-Hltn", `sport = :${port}`])) !== "";

describe("NFS by nfs-ganesha", { ...requires("root"), timeout: 180_000 }, () => {
  let scratch: ScratchFolder;
  let rootfs = "";
  let rack: Rack;
  let port: Port;
  let board: NetworkNamespace;

  before(async () => {
    scratch = await createScratchFolder("pallet-nfs-");
    await mkdir(path.join(scratch.path, "data/root/etc"), { recursive: true });
    // As where /var/lib/pallet leads to another disk.
    await symlink("data", path.join(scratch.path, "link"));
    rootfs = path.join(scratch.path, "link/root");
    await chmod(scratch.path, 0o755);
    await writeFile(path.join(rootfs, "etc/hostname"), "shared\n");
    await writeFile(path.join(rootfs, "etc/shadow"), "root:*:\n", { mode: 0o600 });
    rack = await createRack({ nodes: 0, settings: { nfs: { mode: "ganesha", rootfs } } });
    await rack.controller.log.waitFor(/"msg":"serving"/);
    port = rack.network.plug(1, "b8:27:eb:00:00:01");
    board = await port.powerOn();
  });
  after(async () => {
    await port?.powerOff();
    await rack?.close();
    await scratch?.remove();
  });

  const url = (file: string, version: number): string =>
    `nfs://${rack.network.address}${rootfs}${file}?version=${version}`;

  for (const version of [3, 4]) {
    it(`gives a node every file of the root filesystem by version ${version}, root's own too`, async () => {
      assert.equal(await board.run("nfs-cat", [url("/etc/hostname", version)]), "shared");
      assert.equal(await board.run("nfs-cat", [url("/etc/shadow", version)]), "root:*:");
      assert.match(await board.run("nfs-ls", [url("/etc", version)]), /-rw------- +1 +0 +0 +8 shadow/);
    });

    it(`lets no node write by version ${version}`, async () => {
      const file = path.join(rack.folder, "theirs");
      await writeFile(file, "x");
      await assert.rejects(board.run("nfs-cp", [file, url("/etc/theirs", version)]));
      await assert.rejects(board.run("nfs-cp", [file, url("/etc/hostname", version)]));
      assert.equal(existsSync(path.join(rootfs, "etc/theirs")), false);
      assert.equal(await readFile(path.join(rootfs, "etc/hostname"), "utf8"), "shared\n");
    });
  }

  it("is what the boot config of the agent says", async () => {
    const config = `http://${rack.network.address}:7701/boot/pxelinux.cfg/01-b8-27-eb-00-00-01`;
    assert.match(
      await board.run("curl", ["-sSf", config]),
      new RegExp(`APPEND root=/dev/nfs nfsroot=${rack.network.address}:${rootfs},vers=3 ip=dhcp ro `),
    );
  });

  it("is there again after the controller was killed, and goes with it", async () => {
    await rack.controller.kill();
    await until(async () => !(await listens(rack.network, 2049)), "nfs-ganesha is still there", patience);
    await until(async () => !(await listens(rack.network, 111)), "its portmapper is still there", patience);
    const from = rack.controller.log.mark();
    await rack.startController();
    await rack.controller.log.waitFor(/"msg":"serving"/, { from });
    assert.equal(await board.run("nfs-cat", [url("/etc/hostname", 3)]), "shared");
  });

  it("is there again after nfs-ganesha died", async () => {
    const users = await rack.network.namespace.run("ss", ["-Hltnp", "sport = :2049"]);
    const pid = Number(/ganesha\.nfsd",pid=(\d+)/.exec(users)?.[1]);
    assert.ok(pid > 0, users);
    process.kill(pid, "SIGKILL");
    await rack.controller.log.waitFor(/nfs-ganesha is running again/);
    assert.equal(await board.run("nfs-cat", [url("/etc/hostname", 3)]), "shared");
  });

  it("is the folder that has the path now: a root filesystem is built anew while it is served", async () => {
    // As controller rootfs build puts the new one into the place of the old.
    const script = path.resolve(import.meta.dirname, "nfs/file-handle.ts");
    const ask = (...given: readonly string[]) =>
      board.run(process.execPath, [script, rack.network.address, rootfs, ...given]);
    const handle = await ask();
    assert.equal(await ask(handle), "0");
    const fresh = path.join(scratch.path, "data/fresh");
    await mkdir(path.join(fresh, "etc"), { recursive: true });
    await writeFile(path.join(fresh, "etc/hostname"), "rebuilt\n");
    await writeFile(path.join(fresh, "etc/shadow"), "root:*:\n", { mode: 0o600 });
    await rename(path.join(scratch.path, "data/root"), path.join(scratch.path, "data/root.previous"));
    await rename(fresh, path.join(scratch.path, "data/root"));
    const hostname = () => board.run("nfs-cat", [url("/etc/hostname", 3)]).catch(() => "nothing");
    await until(async () => (await hostname()) === "rebuilt", "the old one is served", {
      withinMs: 40_000,
      everyMs: 1000,
    });
  });

  it("is apart from the export of another network, and refuses who is in neither", async () => {
    const settings = { nfs: { mode: "ganesha", rootfs, clients: "10.78.0.0/24" } };
    await using other = await createRack({ nodes: 0, settings });
    await other.controller.log.waitFor(/"msg":"serving"/);
    const stranger = other.network.plug(1, "b8:27:eb:00:00:02");
    try {
      const namespace = await stranger.powerOn();
      await assert.rejects(namespace.run("nfs-cat", [url("/etc/hostname", 3)]), /ACCES|NOENT/);
    } finally {
      await stranger.powerOff();
    }
    assert.equal(await board.run("nfs-cat", [url("/etc/hostname", 3)]), "rebuilt");
  });
});

describe("versions of the root filesystem", { ...requires("root"), timeout: 180_000 }, () => {
  let scratch: ScratchFolder;
  let store = "";
  let rack: Rack;
  let first: Root;
  let second: Root;
  const mac = "b8:27:eb:00:00:01";

  /** As "controller rootfs build" adds one: while the store is exported. */
  const add = (name: string): Promise<Root> =>
    changeRoots(store, async (roots) => {
      const made = await roots.add(async ({ version }) => {
        await mkdir(path.join(version, "root/etc"), { recursive: true });
        await writeFile(path.join(version, "root/etc/hostname"), `${name}\n`);
        for (const file of ["vmlinuz", "initrd.img"]) await writeFile(path.join(version, file), `${name}'s ${file}`);
        const agent = { sizeBytes: 1, digest: "0" };
        await writeFile(path.join(version, "manifest.json"), JSON.stringify({ madeBy: "rootfs build", agent }));
      });
      await roots.use(made.id);
      return made;
    });

  before(async () => {
    scratch = await createScratchFolder("pallet-versions-");
    await chmod(scratch.path, 0o755);
    store = path.join(scratch.path, "rootfs");
    first = await add("first");
    rack = await createRack({ nodes: 0, settings: { nfs: { mode: "ganesha", rootfs: store } } });
    await rack.controller.log.waitFor(/"msg":"serving"/);
  });
  after(async () => {
    await rack?.close();
    await scratch?.remove();
  });

  const inRack = (program: string, ...args: readonly string[]) => rack.network.namespace.run(program, args);
  const get = (file: string) => inRack("curl", "-sSf", `http://${rack.network.address}:7701/boot/${file}`);
  const hostname = ({ rootFolder }: Root, version: number) =>
    inRack("nfs-cat", `nfs://${rack.network.address}${rootFolder}/etc/hostname?version=${version}`);
  const handle = (...args: readonly string[]) =>
    inRack(process.execPath, path.resolve(import.meta.dirname, "nfs/file-handle.ts"), rack.network.address, ...args);
  const ganesha = async () => /ganesha\.nfsd",pid=(\d+)/.exec(await inRack("ss", "-Hltnp", "sport = :2049"))?.[1];
  const config = () => get(`pxelinux.cfg/01-${mac.replaceAll(":", "-")}`);
  /** Kernel, initrd and root of a boot config, each as it was fetched. */
  const fetched = async () => {
    const text = await config();
    const kernel = await get(/KERNEL (\S+)/.exec(text)?.[1] ?? "");
    const initrd = await get(/INITRD (\S+)/.exec(text)?.[1] ?? "");
    const root = /nfsroot=[^:]*:([^,]*),vers=3/.exec(text)?.[1] ?? "";
    const name = await inRack("nfs-cat", `nfs://${rack.network.address}${root}/etc/hostname?version=3`);
    return { kernel, initrd, name };
  };

  it("are each a kernel, an initrd and a root that belong together", async () => {
    assert.deepEqual(await fetched(), { kernel: "first's vmlinuz", initrd: "first's initrd.img", name: "first" });
  });

  it("change for new boots at once and not under a running node, without a restart of the NFS server", async () => {
    const pid = await ganesha();
    const mounted = await handle(first.rootFolder);
    const begun = await config();
    assert.deepEqual([await hostname(first, 3), await hostname(first, 4)], ["first", "first"]);
    second = await add("second");
    assert.deepEqual(await fetched(), { kernel: "second's vmlinuz", initrd: "second's initrd.img", name: "second" });
    assert.equal(await hostname(second, 4), "second");
    // A node that runs from the first.
    assert.equal(await handle(first.rootFolder, mounted), "0");
    assert.deepEqual([await hostname(first, 3), await hostname(first, 4)], ["first", "first"]);
    // One that has begun to boot it.
    assert.equal(await get(/KERNEL (\S+)/.exec(begun)?.[1] ?? ""), "first's vmlinuz");
    assert.equal(await ganesha(), pid);
  });

  it("stay while a node that was told to boot them may run from them, and go when the operator says that it does not", async () => {
    const refused = await rack.pallet("rootfs", "remove", first.id);
    assert.match(refused.stderr, /not heard now, may still run from/);
    assert.equal(await hostname(first, 3), "first");
    assert.match((await rack.pallet("rootfs", "remove", second.id, "--force")).stderr, /new boots get/);
    await rack.palletOk("rootfs", "remove", first.id, "--force");
    assert.equal(existsSync(first.folder), false);
    assert.deepEqual(await fetched(), { kernel: "second's vmlinuz", initrd: "second's initrd.img", name: "second" });
  });

  it("are served by a path that an older configuration has, too", async () => {
    const settings = { nfs: { mode: "ganesha", rootfs: path.join(store, "root") } };
    await using older = await createRack({ nodes: 0, settings });
    await older.controller.log.waitFor(/"msg":"serving"/);
    const url = `http://${older.network.address}:7701/boot/pxelinux.cfg/01-b8-27-eb-00-00-02`;
    const text = await older.network.namespace.run("curl", ["-sSf", url]);
    assert.ok(text.includes(`:${second.rootFolder},vers=3`), text);
  });
});

describe("NFS that cannot be served", { ...requires("root"), timeout: 60_000 }, () => {
  const noKernelServer = existsSync("/usr/sbin/exportfs") ? "this machine has the kernel's NFS server" : false;
  for (const [what, nfs, message, skip] of [
    [
      "the kernel's server is not installed",
      { mode: "kernel", rootfs: "/usr" },
      /programs: not installed: exportfs\. Remedy: add --install, or run: .*apt-get install \S+ --no-install-recommends nfs-kernel-server/,
      noKernelServer,
    ],
  ] as const) {
    if (skip) continue;
    it(`is said so when ${what}`, async () => {
      assert.match(await serveUntilEnd({ nfs }), message);
    });
  }
});
