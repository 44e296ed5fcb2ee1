import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { unpackRootfs } from "../../../../controller/rootfs/unpack-rootfs.ts";
import { buildDeb } from "../../../../scripts/packages/build-deb.ts";
import { planControllerRelations } from "../../../../scripts/packages/controller-needs.ts";
import { parseIndex, parseSimulation, renderStatus, selectMinimal } from "../../../../scripts/packages/debian-index.ts";
import type { DebianPackage } from "../../../../scripts/packages/debian-package.ts";
import { packRootfs } from "../../../../scripts/packages/pack-rootfs.ts";
import { renderPackageVersion } from "../../../../scripts/packages/package-version.ts";
import { chooseUnitRoles, collectUnits, renderPackagedUnit } from "../../../../scripts/packages/packaged-units.ts";
import { renderControl } from "../../../../scripts/packages/render-control.ts";
import { renderChangelog, renderCopyright, selectNotices } from "../../../../scripts/packages/render-documents.ts";
import { fillScripts } from "../../../../scripts/packages/scripts.ts";
import { checkout } from "../../../programs/checkout.ts";
import { requires } from "../../../requirements.ts";

const epoch = 1_796_055_468;
const commit = { hash: "1fc2961b11112222333344445555666677778888", committedAt: epoch, isChanged: false };

const small: DebianPackage = {
  name: "pallet-small",
  version: "1",
  architecture: "all",
  summary: "a small one",
  description: [
    "One paragraph.",
    "Another, with words enough that they do not fit into a line of seventy-nine characters.",
  ],
  depends: ["tar", "zstd (>= 1.5)"],
  holds: "compressed",
  files: [
    { path: "/usr/share/pallet/b", content: { text: "b\n" } },
    { path: "/etc/pallet/a", content: { bytes: Buffer.from("a\n") }, mode: 0o640 },
  ],
  configurationFiles: ["/etc/pallet/a"],
  scripts: { postinst: "#!/bin/sh\nexit 0\n" },
};

describe("the version of packages", () => {
  it("names the commit, and a tree that differs from it", () => {
    assert.equal(renderPackageVersion("0.1.0", commit), "0.1.0+git20261130.161748.1fc2961b");
    assert.equal(
      renderPackageVersion("0.1.0", { ...commit, isChanged: true }),
      "0.1.0+git20261130.161748.1fc2961b.changed",
    );
  });

  it("grows with commits, changes and releases, as dpkg compares", async () => {
    const growing = [
      renderPackageVersion("0.1.0", { ...commit, hash: "ffffffff" }),
      renderPackageVersion("0.1.0", { ...commit, hash: "ffffffff", isChanged: true }),
      renderPackageVersion("0.1.0", { ...commit, hash: "00000000", committedAt: epoch + 1 }),
      renderPackageVersion("0.1.0", { ...commit, hash: "00000000", committedAt: epoch + 86_400 }),
      renderPackageVersion("0.1.1", { ...commit, committedAt: 0 }),
      renderPackageVersion("0.10.0", { ...commit, committedAt: 0 }),
    ];
    for (const [index, version] of growing.entries())
      if (index > 0) await execa("dpkg", ["--compare-versions", growing[index - 1] ?? "", "lt", version]);
  });
});

describe("what a package says of itself", () => {
  it("is a control file", () =>
    assert.equal(
      renderControl(small, 4096),
      [
        "Package: pallet-small",
        "Source: pallet",
        "Version: 1",
        "Architecture: all",
        "Maintainer: The authors of Pallet <pallet@localhost>",
        "Installed-Size: 4",
        "Depends: tar, zstd (>= 1.5)",
        "Section: admin",
        "Priority: optional",
        "Description: a small one",
        " One paragraph.",
        " .",
        " Another, with words enough that they do not fit into a line of seventy-nine",
        " characters.",
        "",
      ].join("\n"),
    ));

  it("is a changelog", () =>
    assert.equal(
      renderChangelog("1", commit, "Somebody <a@b>"),
      `pallet (1) unstable; urgency=medium\n\n  * Commit ${commit.hash}.\n\n -- Somebody <a@b>  Mon, 30 Nov 2026 16:17:48 +0000\n`,
    ));

  it("is a copyright, with the licences of others but for Apache's own text", () => {
    const text = renderCopyright("With:", [
      { name: "one", version: "1", licence: "MIT", text: "Copyright (c) 2020 One\n" },
      { name: "two", version: "2", licence: "ISC" },
    ]);
    assert.match(text, /common-licenses\/Apache-2\.0/);
    assert.match(text, /With:\n\none 1: MIT\n\nCopyright \(c\) 2020 One\n\ntwo 2: ISC\n$/);
    assert.equal(
      selectNotices("   Copyright 2014 gRPC authors.\n  copyright owner\nCopyright [yyyy] [name]\n"),
      "Copyright 2014 gRPC authors.",
    );
    assert.equal(selectNotices("nothing"), undefined);
  });

  it("depends on what the controller needs to set up and serve a rack, and on nothing essential", () => {
    const { depends, recommends, suggests } = planControllerRelations();
    for (const name of ["dnsmasq-base", "nfs-ganesha", "nftables", "chrony", "xz-utils"])
      assert.ok(depends.includes(name), name);
    for (const name of ["pallet-rack", "fuse2fs"]) assert.ok(recommends.includes(name), name);
    assert.deepEqual(suggests, ["nfs-kernel-server"]);
    const all = [...depends, ...recommends, ...suggests];
    assert.deepEqual(all, [...new Set(all)]);
    for (const name of ["gcc", "tar", "util-linux", "coreutils"]) assert.ok(!all.includes(name), name);
  });
});

describe("the units of the package", () => {
  it("start the package's program, and are all that the sources have", async () => {
    const files = await collectUnits(checkout);
    const paths = files.map((file) => file.path);
    for (const name of [
      "systemd/system/pallet-controller.service",
      "systemd/system/pallet-backup.timer",
      "sysusers.d/pallet.conf",
      "tmpfiles.d/pallet.conf",
    ])
      assert.ok(paths.includes(`/usr/lib/${name}`), paths.join(" "));
    for (const { content } of files) assert.ok("text" in content && !content.text.includes("/usr/local"));
    const { all, enabled } = chooseUnitRoles(files);
    assert.ok(all.includes("pallet-controller.service"));
    assert.ok(!enabled.includes("pallet-controller.service"), "it would serve a network that it knows nothing of");
    assert.ok(enabled.includes("pallet-backup.timer"));
  });

  it("have the paths of the package", () =>
    assert.equal(
      renderPackagedUnit(
        "ExecStart=/usr/local/bin/controller serve\nDocumentation=file:/usr/share/doc/pallet/README.md\n",
      ),
      "ExecStart=/usr/bin/controller serve\nDocumentation=file:/usr/share/doc/pallet-controller/README.md\n",
    ));
});

// dpkg asks about a file that setup has changed as soon as the package's own is another one than the last package's; without a
// terminal it breaks the upgrade off there (dpkg(1), "conffile").
describe("the configuration of the package", () => {
  it("is that of every earlier package, so that no upgrade asks about it", async () =>
    assert.equal(
      createHash("sha256")
        .update(await readFile(path.join(checkout, "controller/setup/files/pallet.yaml")))
        .digest("hex"),
      "d2b42c259de6014930a72631be8ab0a82d70b425e5181294fb31046271d0b4c5",
    ));
});

describe("maintainer scripts", () => {
  it("get their values, and are refused without", () => {
    assert.deepEqual(fillScripts("a", { "a.preinst": "v @VERSION@", "b.postrm": "" }, { VERSION: "1" }), {
      preinst: "v 1",
    });
    assert.throws(() => fillScripts("a", { "a.preinst": "@VERSION@" }, {}), /@VERSION@/);
  });

  it("are what a plain shell understands", async () => {
    for (const name of [
      "controller.preinst",
      "controller.postinst",
      "controller.prerm",
      "controller.postrm",
      "rack.postinst",
      "rack.postrm",
    ])
      await execa("sh", ["-n", path.join(checkout, "scripts/packages/files", name)]);
  });
});

describe("what a minimal Debian has", () => {
  const index = parseIndex(
    "Package: dpkg\nPriority: required\nVersion: 1\n\nPackage: udev\nPriority: important\n\nPackage: nano\nPriority: important\n\nPackage: chrony\nPriority: optional\nVersion: 4\n",
  );

  it("is what it requires, and what starts services and has a network", () =>
    assert.deepEqual(selectMinimal(index), ["dpkg", "udev"]));

  it("is written as dpkg does", () => {
    const names = parseSimulation("NOTE: x\nInst dpkg (1 Debian:12)\nConf dpkg (1 Debian:12)\n");
    assert.equal(
      renderStatus(index, new Set(names)),
      "Package: dpkg\nStatus: install ok installed\nPriority: required\nVersion: 1\n",
    );
  });
});

describe("a package", { ...requires("root") }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-deb-"));
  });
  after(() => rm(folder, { recursive: true }));
  const digestOf = async (file: string): Promise<string> =>
    createHash("sha256")
      .update(await readFile(file))
      .digest("hex");

  it("is the same bytes whenever, in whatever order and with whatever umask it is built", async () => {
    const one = await buildDeb(small, { outDirectory: path.join(folder, "one"), epoch });
    const turned = { ...small, files: small.files.toReversed() };
    const usual = process.umask(0o077);
    const other = await buildDeb(turned, { outDirectory: path.join(folder, "other/deep"), epoch }).finally(() =>
      process.umask(usual),
    );
    assert.equal(await digestOf(one), await digestOf(other));
    const { stdout } = await execa("dpkg-deb", ["--contents", one]);
    assert.match(stdout, /^-rw-r----- root\/root .* 2026-11-30 \d\d:\d\d \.\/etc\/pallet\/a$/m);
  });

  it("has the same root filesystem wherever it was built, which comes in as a version with its owners, once", async () => {
    const archives: string[] = [];
    for (const [name, time] of [
      ["first", 1],
      ["second", 2_000_000_000],
    ] as const) {
      const version = path.join(folder, name);
      const root = path.join(version, "root");
      await mkdir(path.join(root, "etc"), { recursive: true });
      await mkdir(path.join(version, "device-trees"));
      await writeFile(path.join(root, "etc/shadow"), "root:*:\n", { mode: 0o640 });
      await execa("chown", ["0:42", path.join(root, "etc/shadow")]);
      await utimes(path.join(root, "etc/shadow"), time, time);
      for (const file of ["vmlinuz", "initrd.img"]) await writeFile(path.join(version, file), file);
      const manifest = {
        madeBy: "rootfs build",
        key: "k",
        agent: { sizeBytes: 1, digest: "d" },
        root: { files: 2, sizeBytes: time },
      };
      await writeFile(path.join(version, "manifest.json"), JSON.stringify(manifest));
      const archive = path.join(folder, `${name}.tar.zst`);
      await packRootfs({ folder: version, rootFolder: root }, { archive, packageName: "pallet-rack 1", epoch });
      archives.push(archive);
    }
    const [one = "", other = ""] = archives;
    assert.equal(await digestOf(one), await digestOf(other));

    const store = path.join(folder, "store");
    const unpacked = await unpackRootfs({ archivePath: one, outDirectory: store });
    assert.equal(unpacked.changed, true);
    const { stdout } = await execa("stat", ["-c", "%a %u:%g", path.join(store, "current/root/etc/shadow")]);
    assert.equal(stdout, "640 0:42");
    assert.deepEqual(await unpackRootfs({ archivePath: other, outDirectory: store }), {
      root: unpacked.root,
      changed: false,
    });
  });

  it("is refused as a root filesystem where it is none, and nothing is made", async () => {
    const wrong = path.join(folder, "wrong.tar");
    await execa("tar", ["--create", "--file", wrong, "--directory", "/etc", "hostname"]);
    for (const archive of [wrong, path.join(folder, "missing.tar")])
      await assert.rejects(
        unpackRootfs({ archivePath: archive, outDirectory: path.join(folder, "none") }),
        /is no packed root filesystem/,
      );
    await assert.rejects(readFile(path.join(folder, "none")), /ENOENT/);
  });
});
