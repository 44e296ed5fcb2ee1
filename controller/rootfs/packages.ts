/** Debian packages of the root filesystem, and why each is in it. */
export const packages: Readonly<Record<string, string>> = {
  "base-files": "the folders and /usr/lib/os-release",
  "base-passwd": "users and groups",
  "busybox-static": "init, the shell, and every tool that it provides well enough",
  dosfstools: "mkfs.vfat",
  "dropbear-bin": "the ssh server, off unless the operator gives keys",
  e2fsprogs: "mkfs.ext4; e2fsck, resize2fs, tune2fs, which grow the root of a card",
  kmod: "modprobe with every feature that udev's users expect",
  "libc-bin": "the locale C.UTF-8, in which the agent runs its tools",
  "libgcc-s1": "Node",
  "libstdc++6": "Node",
  mount: "mount, umount, losetup, swapoff",
  mtools: "renames firmware in the FAT filesystem of a card",
  "util-linux": "lsblk, blkid, wipefs, blkdiscard, blockdev",
  "util-linux-extra": "partx, in suites that package it separately",
};

/** Packages that are fetched for parts of the initrd, or because apt insists; nothing of them stays. */
export const buildPackages: Readonly<Record<string, string>> = {
  "klibc-utils": "ipconfig and nfsmount of the initrd",
  libklibc: "the same",
  "tiny-initramfs": "the smallest of the alternatives that the kernel's package depends on",
  "tiny-initramfs-core": "the same",
  "linux-base": "wanted by the kernel's package",
  cpio: "wanted by initrd builders",
  debconf: "wanted by base-passwd's maintainer scripts",
  libdebconfclient0: "the same",
  dpkg: "wanted by maintainer scripts",
  tar: "wanted by dpkg",
  mawk: "wanted by base-files",
  "readline-common": "documentation",
  "gcc-12-base": "documentation",
};

/** The kernel's package; it names the real one. */
export const kernelPackage = "linux-image-arm64";

/** Files that nothing on a node reads. */
export const leftOut = [
  // The one program of base-passwd, for maintainer scripts.
  "usr/sbin/update-passwd",
  "usr/share/bash-completion",
  "usr/share/bug",
  "usr/share/doc",
  "usr/share/doc-base",
  "usr/share/gdb",
  "usr/share/info",
  "usr/share/initramfs-tools",
  "usr/share/libgcrypt20",
  "usr/share/lintian",
  "usr/share/locale",
  "usr/share/man",
  "usr/share/menu",
  "usr/share/pam-configs",
  "usr/share/pixmaps",
  "usr/share/zsh",
  "usr/lib/systemd",
  "usr/lib/udev",
  "var/cache",
  "var/lib/apt",
  "var/lib/dpkg",
] as const;

/** busybox applets that get a name in /usr/bin, unless a package provides it: for scripts and interactive use. */
export const applets =
  "ash awk basename cat chmod chown clear cmp cp cut date dd df dirname du echo env expr false find free grep gunzip " +
  "gzip head hexdump hostname id ip kill less ln ls md5sum mkdir mknod mktemp mv nc netstat nslookup od pgrep pidof ping " +
  "pkill printf ps pwd readlink realpath rm rmdir route sed seq sh sha256sum sleep sort stat stty sync tail tar tee test " +
  "time timeout top touch tr traceroute true tty uname uniq uptime vi watch wc wget which xargs yes zcat ifconfig";

/** The same for /usr/sbin. */
export const superuserApplets = "init halt mdev poweroff reboot";
