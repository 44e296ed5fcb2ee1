// Images laid out as those that people run: the files that the real ones have where they have them, with tiny kernels of
// the right magic number in the place of theirs.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import type { FirmwareBoot, ImageBoot } from "../../../../../controller/images/catalogue/image.ts";
import { examineImage } from "../../../../../controller/images/import/examine-image.ts";
import { Failure } from "../../../../../proto/failure.ts";
import {
  kernelBytes,
  makeSmallImage,
  narrowKernelBytes,
  rootTree,
  type SmallPartition,
  type Tree,
  zbootKernelBytes,
} from "../small-image.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-layouts-"));
});
after(() => rm(folder, { recursive: true }));

const packedKernel = gzipSync(kernelBytes);
/** A device tree as Raspberry Pi's kernel has it, and one of mainline. */
const treeMagic = Buffer.from("d00dfeed", "hex");
const raspberryTree = Buffer.concat([treeMagic, Buffer.from("\0__overrides__\0")]);
const mainlineTree = Buffer.concat([treeMagic, Buffer.from("\0model\0")]);
const initrd = "an initrd";

const firmwareFiles: Tree = {
  "bootcode.bin": "firmware",
  "start.elf": "firmware",
  "start4.elf": "firmware",
  "fixup.dat": "firmware",
  "fixup4.dat": "firmware",
};
const raspberryTrees: Tree = {
  "bcm2710-rpi-3-b.dtb": raspberryTree,
  "bcm2711-rpi-4-b.dtb": raspberryTree,
  "bcm2712-rpi-5-b.dtb": raspberryTree,
  "overlays/README": "overlays",
  "overlays/overlay_map.dtb": raspberryTree,
  "overlays/vc4-kms-v3d.dtbo": "overlay",
};
const wideKernels: Tree = {
  "kernel8.img": packedKernel,
  "kernel_2712.img": packedKernel,
  initramfs8: initrd,
  initramfs_2712: initrd,
};
const narrowKernels: Tree = {
  "kernel.img": narrowKernelBytes,
  "kernel7.img": narrowKernelBytes,
  "kernel7l.img": narrowKernelBytes,
};
const configOfRaspberryPiOs =
  "dtparam=audio=on\ncamera_auto_detect=1\ndisplay_auto_detect=1\nauto_initramfs=1\ndtoverlay=vc4-kms-v3d\n" +
  "max_framebuffers=2\ndisable_fw_kms_setup=1\narm_64bit=1\ndisable_overscan=1\narm_boost=1\n" +
  "[cm4]\notg_mode=1\n[cm5]\ndtoverlay=dwc2,dr_mode=host\n[all]\n";
const fat = (tree: Tree, label = "bootfs"): SmallPartition => ({ filesystem: "vfat", label, tree });
const root: SmallPartition = { filesystem: "ext4", label: "rootfs", tree: rootTree };

/** What is looked at of a layout that is accepted. */
interface Accepted {
  readonly root: number;
  readonly boot: Partial<ImageBoot>;
  /** Kernel and initrds of each board's firmware; boards that are not named find nothing. */
  readonly boots: Readonly<Record<string, readonly [kernel: string, format: string, ...initrds: string[]]>>;
  /** Files of the partition that are kept; all others are not. */
  readonly kept?: readonly string[];
}

const oldBoards = "pi2 pi3 pi3+ cm3 cm3+ pi02";
const pi4Boards = "pi4 pi400 cm4 cm4s";
const pi5Boards = "pi5 pi500 cm5";
const everyBoard = `${oldBoards} ${pi4Boards} ${pi5Boards}`;

const accepted: readonly (readonly [string, readonly SmallPartition[], Accepted])[] = [
  [
    "Raspberry Pi OS 13 (trixie), 64 bit",
    [
      fat({
        ...firmwareFiles,
        ...raspberryTrees,
        ...wideKernels,
        "config.txt": configOfRaspberryPiOs,
        "cmdline.txt":
          "console=serial0,115200 console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 fsck.repair=yes rootwait resize\n",
        "issue.txt": "Raspberry Pi reference",
        "LICENCE.broadcom": "licence",
        "user-data": "#cloud-config\npassword: secret\n",
        "network-config": "secret",
      }),
      root,
    ],
    {
      root: 2,
      boot: {
        kernel: "kernel8.img",
        initrd: "initramfs8",
        kernelFormat: "arm64-image-gzip",
        kernelOrigin: "raspberry-pi",
        commandLine: "console=serial0,115200 console=tty1 rootfstype=ext4 fsck.repair=yes rootwait",
        firstBootWords: ["resize"],
        notes: [
          { kind: "cloud-init-lacking", detail: "user-data, network-config" },
          { kind: "config-txt", detail: "dtparam, camera_auto_detect, display_auto_detect, dtoverlay, otg_mode" },
        ],
      },
      boots: {
        [`${oldBoards} ${pi4Boards}`]: ["kernel8.img", "arm64-image-gzip", "initramfs8"],
        [pi5Boards]: ["kernel_2712.img", "arm64-image-gzip", "initramfs_2712"],
      },
      kept: [
        ...Object.keys(firmwareFiles),
        ...Object.keys(raspberryTrees),
        ...Object.keys(wideKernels),
        "config.txt",
        "cmdline.txt",
      ],
    },
  ],
  [
    "Raspberry Pi OS 12 (bookworm), 64 bit, before its first boot",
    [
      fat({
        ...firmwareFiles,
        ...raspberryTrees,
        ...wideKernels,
        "config.txt": configOfRaspberryPiOs,
        "cmdline.txt":
          "console=tty1 root=PARTUUID=4e639091-02 rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n",
      }),
      root,
    ],
    {
      root: 2,
      boot: { kernel: "kernel8.img", firstBootWords: ["init=/usr/lib/raspberrypi-sys-mods/firstboot"] },
      boots: {
        [`${oldBoards} ${pi4Boards}`]: ["kernel8.img", "arm64-image-gzip", "initramfs8"],
        [pi5Boards]: ["kernel_2712.img", "arm64-image-gzip", "initramfs_2712"],
      },
    },
  ],
  [
    "Raspberry Pi OS 12, customised by Raspberry Pi Imager",
    [
      fat({
        ...firmwareFiles,
        ...raspberryTrees,
        ...wideKernels,
        "config.txt": configOfRaspberryPiOs,
        "cmdline.txt":
          "console=tty1 root=PARTUUID=4e639091-02 rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot " +
          "systemd.run=/boot/firstrun.sh systemd.run_success_action=reboot systemd.unit=kernel-command-line.target\n",
        "firstrun.sh": "#!/bin/bash\nset +e\n",
      }),
      {
        ...root,
        tree: { ...rootTree, "etc/fstab": "PARTUUID=4e639091-01  /boot/firmware  vfat  defaults  0  2\n" },
      },
    ],
    {
      root: 2,
      boot: {
        firstBootWords: [
          "init=/usr/lib/raspberrypi-sys-mods/firstboot",
          "systemd.run=/boot/firmware/firstrun.sh",
          "systemd.run_success_action=reboot",
          "systemd.unit=kernel-command-line.target",
        ],
      },
      boots: {
        [`${oldBoards} ${pi4Boards}`]: ["kernel8.img", "arm64-image-gzip", "initramfs8"],
        [pi5Boards]: ["kernel_2712.img", "arm64-image-gzip", "initramfs_2712"],
      },
    },
  ],
  [
    "Raspberry Pi OS 12, 32 bit, with a 64-bit kernel for newer boards",
    [
      fat({
        ...firmwareFiles,
        ...raspberryTrees,
        ...narrowKernels,
        ...wideKernels,
        initramfs7: initrd,
        initramfs7l: initrd,
        "config.txt": configOfRaspberryPiOs.replace("arm_64bit=1\n", ""),
      }),
      root,
    ],
    {
      root: 2,
      boot: { kernel: "kernel8.img", kernelFormat: "arm64-image-gzip", kernelOrigin: "raspberry-pi" },
      boots: {
        [oldBoards]: ["kernel7.img", "arm32-zimage", "initramfs7"],
        [pi4Boards]: ["kernel8.img", "arm64-image-gzip", "initramfs8"],
        [pi5Boards]: ["kernel_2712.img", "arm64-image-gzip", "initramfs_2712"],
      },
    },
  ],
  [
    "Raspberry Pi OS 11 (bullseye), 32 bit",
    [
      fat({
        ...firmwareFiles,
        ...raspberryTrees,
        ...narrowKernels,
        "config.txt": "dtparam=audio=on\n[pi4]\narm_boost=1\n[all]\n",
        "cmdline.txt":
          "console=tty1 root=PARTUUID=4e639091-02 rootwait quiet init=/usr/lib/raspi-config/init_resize.sh\n",
      }),
      root,
    ],
    {
      root: 2,
      boot: { kernel: "kernel7.img", kernelFormat: "arm32-zimage", kernelOrigin: "raspberry-pi" },
      boots: {
        [oldBoards]: ["kernel7.img", "arm32-zimage"],
        [pi4Boards]: ["kernel7l.img", "arm32-zimage"],
      },
    },
  ],
  [
    "Ubuntu 24.10 and later, whose files lie in a folder",
    [
      fat(
        {
          ...firmwareFiles,
          "config.txt":
            "[all]\narm_64bit=1\nos_prefix=current/\nkernel=vmlinuz\ncmdline=cmdline.txt\n" +
            "initramfs initrd.img followkernel\ndtparam=audio=on\n",
          "current/vmlinuz": packedKernel,
          "current/initrd.img": initrd,
          "current/cmdline.txt":
            "console=serial0,115200 multipath=off root=LABEL=writable rootfstype=ext4 panic=10 rootwait\n",
          "current/bcm2711-rpi-4-b.dtb": raspberryTree,
          "current/overlays/README": "overlays",
          "current/overlays/dwc2.dtbo": "overlay",
          "meta-data": "x",
          "user-data": "x",
        },
        "system-boot",
      ),
      { ...root, label: "writable" },
    ],
    {
      root: 2,
      boot: {
        kernel: "vmlinuz",
        initrd: "initrd.img",
        kernelOrigin: "raspberry-pi",
        commandLine: "console=serial0,115200 multipath=off rootfstype=ext4 panic=10 rootwait",
      },
      boots: { [everyBoard]: ["current/vmlinuz", "arm64-image-gzip", "current/initrd.img"] },
    },
  ],
  [
    "Ubuntu 20.04, whose firmware starts another U-Boot on each board",
    [
      fat({
        ...firmwareFiles,
        ...raspberryTrees,
        "config.txt":
          "[pi4]\nkernel=uboot_rpi_4.bin\n[pi3]\nkernel=uboot_rpi_3.bin\n[all]\narm_64bit=1\ninclude syscfg.txt\n",
        "syscfg.txt": "enable_uart=1\n",
        "uboot_rpi_4.bin": "U-Boot",
        "uboot_rpi_3.bin": "U-Boot",
        vmlinuz: packedKernel,
        "initrd.img": initrd,
        "cmdline.txt": "root=LABEL=rootfs rootwait\n",
      }),
      root,
    ],
    {
      root: 2,
      boot: { kernel: "vmlinuz", initrd: "initrd.img" },
      boots: { [everyBoard]: ["vmlinuz", "arm64-image-gzip", "initrd.img"] },
    },
  ],
  [
    "Debian for Raspberry Pis",
    [
      fat({
        ...firmwareFiles,
        "bcm2837-rpi-3-b.dtb": mainlineTree,
        "bcm2711-rpi-4-b.dtb": mainlineTree,
        "config.txt":
          "arm_64bit=1\nenable_uart=1\nupstream_kernel=1\nkernel=vmlinuz-6.1.0-18-arm64\n" +
          "initramfs initrd.img-6.1.0-18-arm64\n",
        "vmlinuz-6.1.0-18-arm64": kernelBytes,
        "initrd.img-6.1.0-18-arm64": initrd,
        "cmdline.txt":
          "console=tty0 console=ttyS1,115200 root=LABEL=rootfs rw fsck.repair=yes net.ifnames=0 rootwait\n",
        "sysconf.txt": "root_pw=secret",
      }),
      root,
    ],
    {
      root: 2,
      boot: {
        kernel: "vmlinuz-6.1.0-18-arm64",
        initrd: "initrd.img-6.1.0-18-arm64",
        kernelFormat: "arm64-image",
        kernelOrigin: "upstream",
      },
      boots: { [everyBoard]: ["vmlinuz-6.1.0-18-arm64", "arm64-image", "initrd.img-6.1.0-18-arm64"] },
    },
  ],
  [
    "DietPi, whose names are in upper case",
    [
      fat({
        ...firmwareFiles,
        ...raspberryTrees,
        "CONFIG.TXT": "arm_64bit=1\nauto_initramfs=1\n",
        "CMDLINE.TXT": "root=PARTUUID=4e639091-02 rootwait\n",
        "KERNEL8.IMG": packedKernel,
        INITRAMFS8: initrd,
        "dietpi.txt": "AUTO_SETUP_GLOBAL_PASSWORD=secret",
      }),
      root,
    ],
    {
      root: 2,
      boot: { kernel: "KERNEL8.IMG", initrd: "INITRAMFS8", commandLine: "rootwait" },
      boots: { [everyBoard]: ["KERNEL8.IMG", "arm64-image-gzip", "INITRAMFS8"] },
    },
  ],
  [
    "a kernel that config.txt spells otherwise than the card, beside the default one",
    [
      fat({
        "config.txt":
          "arm_64bit=1\nkernel=MyKernel.img\ninitramfs MyInitrd followkernel\ncmdline=MyWords.txt\ninclude More.txt\n",
        "mykernel.img": kernelBytes,
        "kernel8.img": packedKernel,
        MYINITRD: initrd,
        "mywords.TXT": "mine root=PARTUUID=4e639091-02\n",
        "cmdline.txt": "default root=PARTUUID=4e639091-02\n",
        "MORE.TXT": "overlay_prefix=mine/\n",
      }),
      root,
    ],
    {
      root: 2,
      boot: { kernel: "mykernel.img", initrd: "MYINITRD", kernelFormat: "arm64-image", commandLine: "mine" },
      boots: { [everyBoard]: ["mykernel.img", "arm64-image", "MYINITRD"] },
      kept: ["MORE.TXT", "MYINITRD", "cmdline.txt", "config.txt", "kernel8.img", "mykernel.img", "mywords.TXT"],
    },
  ],
  [
    "buildroot: a bare kernel without an initrd",
    [
      fat({
        ...firmwareFiles,
        "bcm2711-rpi-4-b.dtb": mainlineTree,
        "config.txt":
          "start_file=start4.elf\nfixup_file=fixup4.dat\nkernel=Image\ndtoverlay=miniuart-bt\narm_64bit=1\n",
        "cmdline.txt": "root=/dev/mmcblk0p2 rootwait console=tty1 console=ttyAMA0,115200\n",
        Image: kernelBytes,
      }),
      { ...root, tree: { "etc/passwd": "root:x:0:0::/root:/bin/sh\n", "sbin/init": { link: "../bin/busybox" } } },
    ],
    {
      root: 2,
      boot: { kernel: "Image", kernelFormat: "arm64-image", kernelOrigin: "upstream" },
      boots: { [everyBoard]: ["Image", "arm64-image"] },
    },
  ],
  [
    "OpenWrt: a squashfs root",
    [
      fat({
        ...firmwareFiles,
        ...raspberryTrees,
        "config.txt": "arm_64bit=1\ninclude distroconfig.txt\n",
        "distroconfig.txt": "kernel=kernel8.img\n",
        "kernel8.img": kernelBytes,
        "cmdline.txt": "console=serial0,115200 root=PARTUUID=4e639091-02 rootfstype=squashfs,ext4 rootwait\n",
      }),
      { filesystem: "squashfs" },
    ],
    {
      root: 2,
      boot: { kernel: "kernel8.img", kernelOrigin: "raspberry-pi" },
      boots: { [everyBoard]: ["kernel8.img", "arm64-image"] },
    },
  ],
  [
    "a btrfs root beside an ext4 /boot with loader entries, as Fedora has it",
    [
      fat({ "EFI/fedora/grub.cfg": "x", "config.txt": "kernel=rpi4-u-boot.bin\n", "rpi4-u-boot.bin": "U-Boot" }, "EFI"),
      {
        filesystem: "ext4",
        label: "boot",
        tree: {
          "vmlinuz-6.8.5-301.fc40.aarch64": kernelBytes,
          "initramfs-6.8.5-301.fc40.aarch64.img": initrd,
          "vmlinuz-0-rescue-6f8c": kernelBytes,
          "loader/entries/6f8c-0-rescue.conf": "options root=UUID=dead rescue\n",
          "loader/entries/6f8c-6.8.5-301.fc40.aarch64.conf":
            "title Fedora\nlinux /vmlinuz-6.8.5-301.fc40.aarch64\n" +
            "options root=UUID=x ro rootflags=subvol=root rhgb quiet $tuned_params\n",
        },
      },
      { filesystem: "btrfs" },
    ],
    {
      root: 3,
      boot: {
        kernel: "vmlinuz-6.8.5-301.fc40.aarch64",
        initrd: "initramfs-6.8.5-301.fc40.aarch64.img",
        kernelOrigin: "upstream",
        commandLine: "ro rootflags=subvol=root rhgb quiet",
      },
      boots: {},
    },
  ],
  [
    "a btrfs root that cmdline.txt names, beside a complete rescue system on ext4",
    [
      fat({ "config.txt": "arm_64bit=1\n", "kernel8.img": kernelBytes, "cmdline.txt": "root=/dev/mmcblk0p3\n" }),
      root,
      { filesystem: "btrfs" },
    ],
    { root: 3, boot: { kernel: "kernel8.img" }, boots: { [everyBoard]: ["kernel8.img", "arm64-image"] } },
  ],
  [
    "a zboot kernel beside a plain one",
    [fat({ "config.txt": "kernel=vmlinuz\n", vmlinuz: zbootKernelBytes, Image: kernelBytes }), root],
    { root: 2, boot: { kernel: "Image" }, boots: { [everyBoard]: ["Image", "arm64-image"] } },
  ],
];

const refused: readonly (readonly [string, readonly SmallPartition[], RegExp])[] = [
  [
    "Fedora, whose kernel is an EFI zboot image",
    [
      fat({ "EFI/BOOT/BOOTAA64.EFI": "EFI", "config.txt": "kernel=rpi3-u-boot.bin\n" }),
      { filesystem: "ext4", label: "boot", tree: { "vmlinuz-6.8.5-301.fc40.aarch64": zbootKernelBytes } },
      root,
    ],
    /\/vmlinuz-6\.8\.5-301\.fc40\.aarch64 is an EFI zboot image, which only UEFI unpacks: put the Image/,
  ],
  [
    "a 32-bit kernel that only U-Boot could load",
    [{ ...root, tree: { ...rootTree, "boot/vmlinuz-6.1.0-18-armmp": narrowKernelBytes } }],
    /\/boot\/vmlinuz-6\.1\.0-18-armmp is a 32-bit kernel outside .*: use the 64-bit variant/,
  ],
  [
    "a kernel that is none",
    [fat({ "config.txt": "arm_64bit=1\n", "kernel8.img": gzipSync("something else") }), root],
    /kernel8\.img is neither a plain nor a gzipped 64-bit ARM kernel/,
  ],
  ["an empty kernel", [fat({ "kernel8.img": "" }), root], /kernel8\.img is empty/],
  [
    "a command line that U-Boot would expand",
    [fat({ "kernel8.img": kernelBytes, "cmdline.txt": "root=/dev/mmcblk0p2 motd=$HOME\n" }), root],
    /cannot be booted by its own command line: the word .* "motd=\$HOME" is unusable because of "\$".*; edit its cmdline\.txt/,
  ],
  [
    "a command line that begins with a comment",
    [fat({ "kernel8.img": kernelBytes, "cmdline.txt": "#quiet ro\n" }), root],
    /"#quiet" is a comment/,
  ],
  [
    "a command line that leaves no room for Pallet's words",
    [fat({ "kernel8.img": kernelBytes, "cmdline.txt": `${"quiet ".repeat(150)}\n` }), root],
    /command line is too long/,
  ],
  [
    "Home Assistant OS",
    [
      fat(
        { "config.txt": "kernel=u-boot.bin\n", "u-boot.bin": "U-Boot", "cmdline.txt": "console=tty1\n" },
        "hassos-boot",
      ),
      { filesystem: "squashfs" },
      { filesystem: "squashfs" },
      { filesystem: "ext4", label: "hassos-data", tree: { "supervisor/x": "x" } },
    ],
    /This is Home Assistant OS, which Pallet does not support: .*\(A\/B\).*Write it with Raspberry Pi Imager/,
  ],
  [
    "Alpine Linux, which runs from RAM",
    [
      fat({
        "config.txt": "kernel=boot/vmlinuz-rpi\ninitramfs boot/initramfs-rpi\narm_64bit=1\ninclude usercfg.txt\n",
        "cmdline.txt": "modules=loop,squashfs,sd-mod,usb-storage quiet console=tty1\n",
        "boot/vmlinuz-rpi": packedKernel,
        "boot/initramfs-rpi": initrd,
        "boot/modloop-rpi": "modules",
        "apks/aarch64/APKINDEX.tar.gz": "packages",
      }),
    ],
    /Alpine Linux as it runs from RAM.*setup-disk -m sys/,
  ],
  [
    "LibreELEC",
    [
      fat({
        "config.txt": "kernel=KERNEL\n",
        KERNEL: kernelBytes,
        SYSTEM: "squashfs",
        "cmdline.txt": "boot=UUID=1 disk=UUID=2\n",
      }),
      { filesystem: "ext4", label: "STORAGE", tree: { "lost/x": "" } },
    ],
    /file SYSTEM on the FAT partition.*LibreELEC/,
  ],
];

describe("an image laid out as", () => {
  for (const [title, partitions, expected] of accepted) {
    it(`${title} is understood`, async () => {
      const place = await mkdtemp(join(folder, "image-"));
      await makeSmallImage(join(place, "image"), partitions);
      const { rootPartition, boot } = await examineImage(join(place, "image"), join(place, "boot"));
      assert.equal(rootPartition, expected.root);
      for (const [key, value] of Object.entries(expected.boot))
        assert.deepEqual(boot[key as keyof ImageBoot], value, key);
      const given = (boot.firmware?.boots ?? []).map(({ boards, kernel, kernelFormat, initrds }: FirmwareBoot) => [
        boards.join(" "),
        [kernel, kernelFormat, ...initrds],
      ]);
      assert.deepEqual(Object.fromEntries(given), expected.boots);
      const lying = await readdir(join(place, "boot/firmware"), { recursive: true, withFileTypes: true });
      const files = lying.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      const kept = files.map((path) => path.slice(join(place, "boot/firmware/").length)).toSorted();
      assert.deepEqual(kept, boot.firmware?.files.toSorted());
      if (expected.kept !== undefined) assert.deepEqual(kept, expected.kept.toSorted());
    });
  }
  for (const [title, partitions, message] of refused) {
    it(`${title} is refused, and what to do is said`, async () => {
      const place = await mkdtemp(join(folder, "image-"));
      await makeSmallImage(join(place, "image"), partitions);
      await mkdir(join(place, "x"));
      await assert.rejects(examineImage(join(place, "image"), join(place, "boot")), (error) => {
        assert.ok(error instanceof Failure, `${error}`);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
