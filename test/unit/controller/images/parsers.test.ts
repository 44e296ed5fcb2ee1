import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseCommandLine } from "../../../../controller/images/boot/parse-command-line.ts";
import { parseOperatingSystem } from "../../../../controller/images/boot/parse-os-release.ts";
import { parseErrors, parseFolder, parseInode } from "../../../../controller/images/filesystems/parse-debugfs.ts";
import { isSafePath } from "../../../../controller/images/filesystems/safe-path.ts";
import { Failure } from "../../../../proto/failure.ts";

describe("cmdline.txt", () => {
  const cases: readonly (readonly [string, string, readonly string[], string | undefined, (readonly string[])?])[] = [
    [
      "of Raspberry Pi OS before its first boot",
      "console=serial0,115200 console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 fsck.repair=yes rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n",
      ["console=serial0,115200", "console=tty1", "rootfstype=ext4", "fsck.repair=yes", "rootwait", "quiet"],
      "PARTUUID=4e639091-02",
      ["init=/usr/lib/raspberrypi-sys-mods/firstboot"],
    ],
    [
      "of Raspberry Pi OS trixie before its first boot",
      "console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 rootwait resize\n",
      ["console=tty1", "rootfstype=ext4", "rootwait"],
      "PARTUUID=4e639091-02",
      ["resize"],
    ],
    [
      "that Raspberry Pi Imager has altered",
      "root=LABEL=x rootwait systemd.run=/boot/firstrun.sh systemd.run_success_action=reboot systemd.unit=kernel-command-line.target",
      ["rootwait"],
      "LABEL=x",
      ["systemd.run=/boot/firstrun.sh", "systemd.run_success_action=reboot", "systemd.unit=kernel-command-line.target"],
    ],
    ["of a boot loader", "BOOT_IMAGE=/vmlinuz initrd=/initrd.img root=/dev/vda1 ro", ["ro"], "/dev/vda1"],
    ["with an init of its own", "root=/dev/mmcblk0p2 init=/bin/mine", ["init=/bin/mine"], "/dev/mmcblk0p2"],
    ["with quotes", 'dyndbg="file a.c +p; file b.c +p" ro', ['dyndbg="file a.c +p; file b.c +p"', "ro"], undefined],
    ["with several roots, where the last counts", "root=/dev/a root=/dev/b ro", ["ro"], "/dev/b"],
    ["for NFS", "root=/dev/nfs nfsroot=1.2.3.4:/x ip=dhcp", ["ip=dhcp"], "/dev/nfs"],
    ["with lines after the first, which the firmware ignores", "\r\nquiet\r\nsplash\r\n", ["quiet"], undefined],
    ["that is empty", "", [], undefined],
  ];
  for (const [title, text, words, root, firstBootWords = []] of cases) {
    it(`${title} keeps the right words`, () => {
      assert.deepEqual(parseCommandLine(text), { words, firstBootWords, ...(root !== undefined && { root }) });
    });
  }
  it("with control characters, or longer than any kernel takes, is refused", () => {
    for (const text of ["quiet \u001b[2J", "a".repeat(5000)]) assert.throws(() => parseCommandLine(text), Failure);
  });
  it("never gives a word with a line break, nor a root, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        try {
          for (const word of parseCommandLine(text).words) assert.doesNotMatch(word, /[\r\n]|^root=/);
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
        }
      }),
    );
  });
});

describe("os-release", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="x"\n', "Debian GNU/Linux 12 (bookworm)"],
    ["NAME=Fedora\nVERSION='39 (IoT)'\n", "Fedora 39 (IoT)"],
    ['PRETTY_NAME="a \\"b\\" \\$c"', 'a "b" $c'],
    ['PRETTY_NAME="\u001b[31mred"', "?[31mred"],
    ["ID=x\n", undefined],
    ["", undefined],
  ];
  for (const [text, name] of cases)
    it(`${JSON.stringify(text)} is ${name}`, () => assert.equal(parseOperatingSystem(text), name));
});

describe("debugfs's output", () => {
  it("describes a symbolic link", () => {
    const output =
      'Inode: 143   Type: symlink    Mode:  0777   Flags: 0x0\nUser:     0   Group:     0   Project:     0   Size: 21\nLinks: 1   Blockcount: 0\nFast link dest: "../usr/lib/os-release"\n';
    assert.deepEqual(parseInode(output), {
      ...{ type: "symlink", sizeBytes: 21, links: 1, inode: 143 },
      linkTarget: "../usr/lib/os-release",
    });
  });
  it("describes nothing where there is no file", () => assert.equal(parseInode(""), undefined));
  it("lists files and links, not folders and devices", () => {
    const output =
      "/34/040755/0/0/.//\n/30/040755/0/0/..//\n/41/100644/0/0/vmlinuz-6.1/47/\n/42/120777/0/0/vmlinuz/10/\n/43/020600/0/0/console//\n\n";
    assert.deepEqual(parseFolder(output), ["vmlinuz-6.1", "vmlinuz"]);
  });
  it("tells errors from its banner", () => {
    assert.equal(parseErrors("debugfs 1.47.0 (5-Feb-2023)\n"), "");
    assert.equal(
      parseErrors("debugfs 1.47.0 (5-Feb-2023)\n/x: File not found by ext2_lookup \n"),
      "/x: File not found by ext2_lookup ",
    );
  });
});

describe("a path from inside an image", () => {
  for (const path of ["vmlinuz-6.1.0+rpt-rpi-v8", "current/initrd.img", "Image"]) {
    it(`${path} is taken`, () => assert.ok(isSafePath(path)));
  }
  for (const path of [
    "",
    "..",
    "../x",
    "a/../b",
    "/etc/passwd",
    "-n",
    "a b",
    "*.dtb",
    'a"b',
    "a\nb",
    "a//b",
    "a".repeat(300),
  ]) {
    it(`${JSON.stringify(path.slice(0, 20))} is not`, () => assert.ok(!isSafePath(path)));
  }
});
