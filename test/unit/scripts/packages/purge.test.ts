// What a purge leaves, by the real maintainer script: /etc and /var are folders of the test in a mount namespace, and what
// forwards is a network namespace.
import assert from "node:assert/strict";
import { chmod, chown, glob, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { execa } from "execa";
import { renderExports } from "../../../../controller/network/nfs/render-exports.ts";
import { digestOf, type Written } from "../../../../controller/setup/content.ts";
import { type Journal, journalFile, renderJournal } from "../../../../controller/setup/journal.ts";
import { setupPaths } from "../../../../controller/setup/render-files.ts";
import { fillScripts } from "../../../../scripts/packages/scripts.ts";
import { checkout } from "../../../programs/checkout.ts";
import { requires } from "../../../requirements.ts";

const plain = (text: string, mode = 0o644): Written => ({ kind: "file", text, mode });
/** What a setup wrote. */
const written: readonly [file: string, content: Written][] = [
  [setupPaths.link, plain("[Match]\nMACAddress=02:00:00:00:00:11\n")],
  [setupPaths.network, plain("[Match]\nName=rack0\n")],
  [setupPaths.networkd, plain("[Network]\n")],
  [setupPaths.forwarding, plain("net.ipv4.ip_forward = 1\n")],
  [setupPaths.firewall, plain("no newline at its end", 0o600)],
  [setupPaths.networkdWanted, { kind: "link", to: "/lib/systemd/system/systemd-networkd.service" }],
  ["/etc/systemd/system/dnsmasq.service", { kind: "link", to: "/dev/null" }],
];
const journal: Omit<Journal, "version"> = {
  phase: "applied",
  choice: { uplink: "eth0", address: "10.77.0.1", prefixLength: 24 },
  rack: { mac: "02:00:00:00:00:11", name: "eth1", isUp: true, addresses: [] },
  files: written.map(([file, content]) => ({ path: file, digests: [digestOf(content)] })),
  folders: ["/etc/systemd/networkd.conf.d", "/etc/systemd/made", "/etc/systemd/made/inner"],
  former: { forwards: false, active: ["dnsmasq.service"], user: false },
};
/** There before, and nobody's business. */
const others = { "/etc/systemd/network/50-mine.network": "mine\n", "/var/backups/pallet/kept.tar.zst": "keys\n" };

/** A disk of its own for the images; then what the package manager calls. Last it says whether this machine forwards. */
const inNamespaces = `
mount --bind "$0/etc" /etc && mount --bind "$0/var" /var && mount -t tmpfs tmpfs /run || exit 9
mount -t tmpfs tmpfs /var/lib/pallet/images && touch /var/lib/pallet/images/an-image || exit 9
echo 1 >/proc/sys/net/ipv4/ip_forward
sh "$0/postrm" purge 2>&1 || exit 8
ls /var/lib/pallet/images
cat /proc/sys/net/ipv4/ip_forward
`;

describe("a purge without an undo before it", requires("root"), () => {
  let folder: string;
  const at = (file: string): string => path.join(folder, file);
  const write = async (file: string, content: Written): Promise<void> => {
    await mkdir(path.dirname(at(file)), { recursive: true });
    if (content.kind === "link") return await symlink(content.to, at(file));
    await writeFile(at(file), content.text);
    await chmod(at(file), content.mode);
  };
  const purge = async (): Promise<string> =>
    (await execa("unshare", ["--mount", "--net", "--propagation", "private", "sh", "-c", inNamespaces, folder])).stdout;
  /** Files and links below a folder of that machine. */
  const left = async (of: string): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const name of glob("**", { cwd: at(of) }))
      if (name !== "" && name !== ".") found.push(path.join(of, name));
    return found.toSorted();
  };

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-purge-"));
    await chmod(folder, 0o755);
    for (const made of [...journal.folders, "/var/lib/pallet/images", "/var/lib/pallet-broker/dnsmasq"])
      await mkdir(at(made), { recursive: true });
    for (const [file, content] of written) await write(file, content);
    for (const [file, text] of Object.entries(others)) await write(file, plain(text));
    await write(journalFile, plain(renderJournal(journal), 0o600));
    await write("/var/lib/pallet/pallet.sqlite", plain("nodes"));
    const network = { base: 0x0a4d0000, prefixLength: 24 };
    await write("/etc/exports.d/pallet.exports", plain(renderExports({ path: "/srv/root", clients: [network] })));
    const files = path.join(checkout, "scripts/packages/files");
    const text = await readFile(path.join(files, "controller.postrm"), "utf8");
    const { postrm = "" } = fillScripts("a", { "a.postrm": text }, { ALL: "pallet-controller.service" });
    await writeFile(path.join(folder, "postrm"), postrm);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("leaves a machine as if there had never been a setup, and what lies on other disks", async () => {
    const said = (await purge()).split("\n");
    assert.deepEqual(said.slice(-2), ["an-image", "0"], said.join("\n"));
    assert.ok(said.includes("pallet-controller: what is left of /var/lib/pallet goes by hand"), said.join("\n"));
    const files = (await left("/etc")).filter(
      (file) => !/^\/etc\/(systemd|sysctl\.d|exports\.d)(\/(system|network))?$/.test(file),
    );
    assert.deepEqual(files, ["/etc/systemd/network/50-mine.network", "/etc/systemd/system/multi-user.target.wants"]);
    assert.deepEqual(
      (await left("/var")).filter((file) => /pallet/.test(file)),
      ["/var/backups/pallet", "/var/backups/pallet/kept.tar.zst", "/var/lib/pallet", "/var/lib/pallet/images"],
    );
  });

  it("leaves what a person changed since, and says so", async () => {
    await writeFile(at(setupPaths.network), "[Match]\nName=mine\n");
    await chmod(at(setupPaths.link), 0o640);
    await writeFile(at(setupPaths.forwarding), "net.ipv4.ip_forward = 1\n# and so it stays\n");
    const said = await purge();
    for (const file of [setupPaths.network, setupPaths.link, setupPaths.forwarding]) {
      assert.ok(said.includes(`${file} stays: it was changed since`), said);
      await lstat(at(file));
    }
    assert.match(said, /\n1$/);
    await assert.rejects(lstat(at(setupPaths.firewall)), /ENOENT/);
  });

  it("believes no note of a setup that is not root's", async () => {
    await chown(at(journalFile), 1, 1);
    await purge();
    for (const [file] of written) await lstat(at(file));
  });
});
