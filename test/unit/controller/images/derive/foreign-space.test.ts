// What programs can do that read foreign filesystems and archives: as if each were the attacker's own.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { type ForeignSpace, openForeignSpace } from "../../../../../controller/images/derive/foreign-space.ts";
import { requires } from "../../../../requirements.ts";

describe("a place for foreign files", requires("root", "FUSE"), () => {
  let folder: string;
  let space: ForeignSpace;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-foreign-"));
    for (const name of ["top", "tree"]) mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, "secret"), "");
    const image = path.join(folder, "image.raw");
    await execa("truncate", ["--size=8M", image]);
    await execa("mkfs.ext4", ["-q", image]);
    space = await openForeignSpace(path.join(folder, "top"), [
      { path: image, as: "image.raw" },
      { path: path.join(folder, "tree"), as: "tree" },
    ]);
  });
  after(async () => {
    await space.close();
    rmSync(folder, { recursive: true });
  });

  for (const which of ["run", "runOnFiles"] as const) {
    const says = async (script: string): Promise<string> =>
      (await space[which]("sh", ["-c", `${script}; true`], {})).trim();

    it(`shows a program (${which}) the programs of this machine and what was named, and no more`, async () => {
      assert.equal(
        await says("ls /"),
        "bin\ndev\netc\nimage.raw\nlib\nlib64\nsbin\ntmp\ntree\nusr".replace(
          process.arch === "x64" ? "" : "lib64\n",
          "",
        ),
      );
      assert.equal(await says("ls /dev"), "fuse\nnull");
      assert.equal(await says(`cat ${folder}/secret /etc/passwd /proc/self/status 2>/dev/null`), "");
    });
    it(`lets it (${which}) write no program of this machine`, async () =>
      assert.equal(await says("touch /usr/bin/sh /usr/new 2>/dev/null && echo wrote"), ""));
    it(`lets it (${which}) see no process`, async () =>
      assert.equal(await says(`kill -0 ${process.pid} 2>/dev/null && echo there`), ""));
    it(`lets it (${which}) reach no network`, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const script = `socket(S, 2, 1, 0); print connect(S, pack("SnC4x8", 2, ${port}, 127, 0, 0, 1)) ? "reached" : "not"`;
      assert.equal((await execa("perl", ["-e", script])).stdout, "reached");
      assert.equal(await space[which]("perl", ["-e", script], {}), "not");
      server.close();
    });
    it(`lets it (${which}) open no device that it makes`, async () =>
      assert.equal(
        await says("cd /tree; mknod disk b 7 0 2>/dev/null; head -c 1 disk 2>/dev/null && echo opened"),
        "",
      ));
    it(`lets it (${which}) mount no filesystem of the kernel's`, async () => {
      const numbers = { x64: 165, arm64: 40 } as Readonly<Record<string, number>>;
      const call = `syscall(${numbers[process.arch]}, my $a = "none", my $b = "/tmp", my $c = $ARGV[0], 0, my $d = "")`;
      for (const type of ["devtmpfs", "proc", "sysfs", "ext4"])
        assert.equal(await says(`perl -e '${call} == 0 and print "mounted"' ${type}`), "", type);
    });
  }

  it("reads and writes an ext filesystem, with every kind of file", async () => {
    const mounted = await space.mount({ file: "/image.raw", offsetBytes: 0, access: "write", at: "m" });
    await space.runOnFiles(
      "sh",
      ["-c", "cd /m; mknod null c 1 3; touch a; chown 1000:70000 a; chmod 4711 a; ln a b"],
      {},
    );
    await mounted.close();
    await space.run("e2fsck", ["-f", "-n", "/image.raw"], {});
    const again = await space.mount({ file: "/image.raw", offsetBytes: 0, access: "read", at: "again" });
    const { stdout } = await execa("stat", ["--printf=%F %u %g %a %h,", "a", "null"], { cwd: space.pathOf("/again") });
    assert.match(stdout, /^regular empty file 1000 70000 4711 2,character special file 0 0 \d+ 1,$/);
    await assert.rejects(space.runOnFiles("touch", ["/again/new"], {}), /Read-only/);
    await again.close();
  });

  it("tells what is no ext filesystem, and what a program says that fails", async () => {
    await assert.rejects(
      space.mount({ file: "/usr/bin/sh", offsetBytes: 0, access: "read", at: "none" }),
      /fuse2fs failed: .*(magic|short read)/i,
    );
    await assert.rejects(space.run("e2fsck", ["-n", "/nothing"], {}), /e2fsck failed: .*No such file/);
  });
});
