import type { TargetName } from "../boot-tree/targets.ts";
import { targets } from "../boot-tree/targets.ts";
import type { Config } from "../config/config.ts";
import type { ImageFormat } from "../images/formats/detect-format.ts";
import type { Need } from "./debian-package.ts";
import type { Requirements } from "./requirements.ts";

/** What a private apt root takes; an https mirror is checked by the machine's certificate authorities. */
function archiveNeeds(mirror: string): readonly Need[] {
  const certificates: readonly Need[] = /^https:/i.test(mirror) ? ["/etc/ssl/certs/ca-certificates.crt"] : [];
  return ["apt-get", "apt-cache", "dpkg-deb", "/usr/share/keyrings/debian-archive-keyring.gpg", ...certificates];
}

/** Looking into an image without mounting it. */
const imageNeeds: readonly Need[] = ["blkid", "mdir", "mtype", "debugfs"];

/** The program that decompresses an image; gzip is Node's own. */
function decompressionNeeds(format: ImageFormat): readonly Need[] {
  return format === "xz" || format === "zstd" ? [format] : [];
}

/** What `rootfs build` needs. What is in the cache already is not made again, and needs no tools. */
export function planRootfsBuild(of: {
  readonly mirror: string;
  readonly isBaseCached: boolean;
  readonly isAgentCompressed: boolean;
}): Omit<Requirements, "writes"> {
  // A kernel's modules may be compressed by xz: in Debian 13 they are.
  const base: readonly Need[] = of.isBaseCached ? [] : ["mmdebstrap", "depmod", "xz", ...archiveNeeds(of.mirror)];
  return {
    command: "rootfs build",
    root: "it makes files that belong to root",
    needs: ["flock", ...base, ...(of.isAgentCompressed ? [] : (["mksquashfs"] as const))],
  };
}

/** An initial RAM disk with modules of a kernel of somebody else's, which may be compressed by xz. */
function netbootNeeds(mirror: string): readonly Need[] {
  return ["flock", "depmod", "xz", ...archiveNeeds(mirror)];
}

/** What `rootfs import` needs for an image of this format. */
export function planRootfsImport(of: {
  readonly format: ImageFormat;
  /** Where the initial RAM disk's programs come from; undefined where the root filesystem alone is unpacked. */
  readonly netbootMirror: string | undefined;
}): Omit<Requirements, "writes"> {
  return {
    command: "rootfs import",
    root: "it mounts the image and makes files that belong to root",
    needs: [
      ...(["unshare", "nsenter", "mount", "umount"] as const),
      ...imageNeeds,
      ...decompressionNeeds(of.format),
      ...(of.netbootMirror === undefined ? [] : netbootNeeds(of.netbootMirror)),
    ],
  };
}

/** What `rootfs bake` needs. */
export function planRootfsBake(of: {
  readonly target: "folder" | "image";
  /** As for `rootfs import`. */
  readonly netbootMirror: string | undefined;
}): Omit<Requirements, "writes"> {
  return {
    command: "rootfs bake",
    ...(of.target === "image" && { root: "it mounts the image" }),
    needs: [
      ...(of.target === "image" ? (["unshare", "nsenter", "mount", "umount", ...imageNeeds] as const) : []),
      ...(of.netbootMirror === undefined ? [] : netbootNeeds(of.netbootMirror)),
    ],
  };
}

/** What `boot-tree build` needs, with the builds of U-Boot that are not in the cache yet. */
export function planBootTreeBuild(of: {
  readonly mirror: string;
  /** Nothing has to be fetched from Debian's archive besides. */
  readonly isFetched: boolean;
  readonly uncachedTargets: readonly TargetName[];
}): Omit<Requirements, "writes"> {
  const compilers = of.uncachedTargets.map((name) => targets[name].compiler);
  const uBoot: readonly Need[] = [
    ...archiveNeeds(of.mirror),
    ...(["dpkg-source", "dpkg-parsechangelog", "make", "gcc", "bison", "flex", "bc", "xxd"] as const),
    ...(["/usr/include/stdio.h", "/usr/include/openssl/evp.h"] as const),
    ...compilers,
  ];
  return {
    command: "boot-tree build",
    needs: ["flock", ...(of.isFetched ? [] : archiveNeeds(of.mirror)), ...(of.uncachedTargets.length > 0 ? uBoot : [])],
  };
}

/** What the controller needs to import images of these formats. */
export function planImagesAdd(of: { readonly formats: readonly ImageFormat[] }): Requirements {
  return {
    command: "images add",
    needs: [...imageNeeds, "dumpe2fs", ...of.formats.flatMap(decompressionNeeds)],
  };
}

/** What the controller needs to derive images from files of these formats. */
export function planImagesDerive(of: { readonly formats: readonly ImageFormat[] }): Requirements {
  const mounting = ["unshare", "nsenter", "mount", "umount", "rsync", "tar"] as const;
  const filesystems = ["dumpe2fs", "e2fsck", "resize2fs", "tune2fs", "mkfs.vfat", "mcopy", "sfdisk"] as const;
  return {
    command: "images derive",
    root: "it mounts the images",
    // The old image comes out of a pack, which is read by zstd.
    needs: [...imageNeeds, ...mounting, ...filesystems, "zstd", ...of.formats.flatMap(decompressionNeeds)],
  };
}

/** What `serve` needs of this machine's packages, by its configuration; `serve --check` looks for the rest. */
export function planServe({ dhcp, nfs }: Pick<Config, "dhcp" | "nfs">): Requirements {
  const ganesha = ["ganesha.nfsd", "/usr/lib/*/ganesha/libfsalvfs.so", "rpcbind", "/etc/services", "unshare"] as const;
  return {
    command: "serve",
    needs: [
      ...(dhcp.mode === "none" ? [] : (["dnsmasq", "setpriv"] as const)),
      ...(nfs.mode === "ganesha" ? ganesha : []),
      ...(nfs.mode === "kernel" ? (["exportfs"] as const) : []),
    ],
  };
}

/** What `npm run demo` needs for its image and its rack of simulated Pis; scripts/setup installs it where it can. */
export const demoRequirements: Requirements = {
  command: "npm run demo",
  root: "it makes network namespaces and loop devices",
  needs: [
    ...(["mmdebstrap", "depmod", "xz", "apt-get", "sfdisk", "mkfs.vfat", "mke2fs", "mcopy"] as const),
    ...(["ip", "unshare", "nsenter", "mount", "umount"] as const),
    ...planImagesAdd({ formats: ["zstd"] }).needs,
  ],
};

/** What `npm run build:binaries` needs. */
export const binariesRequirements: Requirements = {
  command: "npm run build:binaries",
  needs: ["npm", "tar", "flock"],
};
