/**
 * What Pallet needs on its machines, by the Debian 12 package that has it: programs by their names, files by their
 * paths. The one place that knows, for agent and controller. Programs of packages that every Debian has (Essential:
 * yes) are here only where a machine that is not Debian may lack them.
 */
const contents = {
  apt: ["apt-get", "apt-cache"],
  bc: ["bc"],
  bison: ["bison"],
  "ca-certificates": ["/etc/ssl/certs/ca-certificates.crt"],
  chrony: ["chronyd"],
  coreutils: ["sync"],
  "debian-archive-keyring": ["/usr/share/keyrings/debian-archive-keyring.gpg"],
  "dnsmasq-base": ["dnsmasq"],
  dosfstools: ["mkfs.vfat"],
  dpkg: ["dpkg-deb"],
  "dpkg-dev": ["dpkg-source", "dpkg-parsechangelog"],
  e2fsprogs: ["debugfs", "dumpe2fs", "e2fsck", "resize2fs", "tune2fs", "mke2fs", "mkfs.ext4"],
  fdisk: ["sfdisk"],
  flex: ["flex"],
  fuse2fs: ["fuse2fs"],
  gcc: ["gcc"],
  "gcc-aarch64-linux-gnu": ["aarch64-linux-gnu-gcc"],
  git: ["git"],
  iproute2: ["ip"],
  kmod: ["depmod"],
  "libc6-dev": ["/usr/include/stdio.h"],
  "libssl-dev": ["/usr/include/openssl/evp.h"],
  make: ["make"],
  mmdebstrap: ["mmdebstrap"],
  mount: ["mount", "umount", "swapoff"],
  mtools: ["mcopy", "mdir", "mren", "mtype"],
  netbase: ["/etc/services"],
  "nfs-ganesha": ["ganesha.nfsd"],
  // In a folder of each architecture.
  "nfs-ganesha-vfs": ["/usr/lib/*/ganesha/libfsalvfs.so"],
  "nfs-kernel-server": ["exportfs"],
  nftables: ["nft"],
  npm: ["npm"],
  "perl-base": ["perl"],
  procps: ["sysctl"],
  rpcbind: ["rpcbind"],
  rsync: ["rsync"],
  "squashfs-tools": ["mksquashfs"],
  systemd: ["networkctl"],
  tar: ["tar"],
  udev: ["udevadm"],
  "util-linux": [
    "blkdiscard",
    "blkid",
    "blockdev",
    "dmesg",
    "flock",
    "lsblk",
    "nsenter",
    "partx",
    "pivot_root",
    "setpriv",
    "unshare",
    "wipefs",
  ],
  xxd: ["xxd"],
  "xz-utils": ["xz"],
  zstd: ["zstd"],
} as const;

/** Every Debian package that Pallet may ask for. */
export const knownPackages: readonly string[] = Object.keys(contents);

/** A program of the search path, or a file by its absolute path, in which "*" is any name. */
export type Need = (typeof contents)[keyof typeof contents][number];

const packages: ReadonlyMap<string, string> = new Map(
  Object.entries(contents).flatMap(([name, needs]) => needs.map((need) => [need, name] as const)),
);

/** The Debian package that has a program or file. */
export function debianPackage(need: Need): string {
  return packages.get(need) ?? need;
}

/** The Debian packages of all of these, once each, in alphabetical order. */
export function debianPackages(needs: readonly Need[]): readonly string[] {
  return [...new Set(needs.map(debianPackage))].toSorted();
}
