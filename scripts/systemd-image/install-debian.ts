import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultMirror } from "../../controller/artefacts/debian-defaults.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";

const packages = [
  ..."apt systemd-sysv udev dbus libpam-systemd openssh-server cloud-init cloud-guest-utils fdisk e2fsprogs".split(" "),
  ..."dosfstools sudo iproute2 kmod netbase ca-certificates login passwd procps busybox-static".split(" "),
  // The kernel wants a package that makes initrds. The other one would do so in each run, for minutes under emulation.
  ..."linux-image-arm64 tiny-initramfs".split(" "),
];

/** Every byte is written to every card: documentation, character sets and hardware names are left out. */
const leftOut = [
  ...["doc", "man", "info", "locale", "lintian", "bash-completion"].map((name) => `usr/share/${name}`),
  ...["usr/lib/aarch64-linux-gnu/gconv", "usr/lib/udev/hwdb.d", "usr/lib/udev/hwdb.bin", "usr/share/i18n"],
  ...["var/lib/apt/lists", "var/cache/apt", "var/cache/debconf"],
];

/**
 * Installs Debian arm64 with systemd, OpenSSH and cloud-init into `rootFolder`, by its packages' own scripts, which run
 * under qemu-user. Needs root, and Linux 6.7 or later; some minutes.
 */
export async function installDebian(rootFolder: string, suite: string, signal?: AbortSignal): Promise<void> {
  const excluded = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"];
  const options = [...excluded, "/etc/kernel/postinst.d/*"].map((path) => `--dpkgopt=path-exclude=${path}`);
  await execa(
    fileURLToPath(new URL("files/run-foreign", import.meta.url)),
    [
      "mmdebstrap",
      // It asks binfmt_misc at the one path that its own namespace has hidden from it.
      ...["--mode=root", "--skip=check/qemu", "--architectures=arm64", "--variant=essential", "--format=directory"],
      ...["--components=main", ...options, `--include=${packages.join(",")}`],
      ...[suite, rootFolder, defaultMirror],
    ],
    { stdin: "ignore", ...(signal && { cancelSignal: signal }) },
  );
  await Promise.all(leftOut.map((path) => rm(join(rootFolder, path), { recursive: true, force: true })));
}
