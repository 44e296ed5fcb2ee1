import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultMirror } from "../../controller/artefacts/debian-defaults.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";

/** No kernel, whose package would be unpacked and configured for a minute: it is that of the demo's image. */
const packages = [
  ..."apt systemd-sysv udev dbus libpam-systemd openssh-server cloud-init cloud-guest-utils fdisk e2fsprogs".split(" "),
  ..."dosfstools sudo iproute2 kmod netbase ca-certificates login passwd procps".split(" "),
];

/** Every byte is written to every card: documentation, character sets and hardware names are left out. */
const leftOut = [
  ...["doc", "man", "info", "locale", "lintian", "bash-completion"].map((name) => `usr/share/${name}`),
  ...["usr/lib/aarch64-linux-gnu/gconv", "usr/lib/udev/hwdb.d", "usr/share/i18n"],
];
const leftOver = ["usr/lib/udev/hwdb.bin", "var/lib/apt/lists", "var/cache/apt", "var/cache/debconf"];

/**
 * Installs Debian arm64 with systemd, OpenSSH and cloud-init into `rootFolder`, by its packages' own scripts, which run
 * under qemu-user. Needs root, Linux 6.7 or later and Debian's Python of that suite; a minute.
 */
export async function installDebian(rootFolder: string, suite: string, signal?: AbortSignal): Promise<void> {
  const run = { stdin: "ignore", ...(signal && { cancelSignal: signal }) } as const;
  const program = (name: string) => fileURLToPath(new URL(`files/${name}`, import.meta.url));
  const natively = (what: string) => `'${program("native-programs").replaceAll("'", "'\\''")}' ${what} "$1"`;
  await execa(
    program("run-foreign"),
    [
      "mmdebstrap",
      // It asks binfmt_misc at the one path that its own namespace has hidden from it.
      ...["--mode=root", "--skip=check/qemu", "--architectures=arm64", "--variant=essential", "--format=directory"],
      // Otherwise the package usrmerge makes these links, by Perl.
      "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
      ...[`--extract-hook=${natively("put")}`, `--customize-hook=${natively("remove")}`],
      ...["--components=main", "--dpkgopt=force-unsafe-io", `--include=${packages.join(",")}`],
      ...leftOut.map((path) => `--dpkgopt=path-exclude=/${path}/*`),
      ...[suite, rootFolder, defaultMirror],
    ],
    run,
  );
  await Promise.all(
    [...leftOut, ...leftOver].map((path) => rm(join(rootFolder, path), { recursive: true, force: true })),
  );
  await finishNatively(rootFolder, run);
}

/** What files/native-programs has kept the packages' scripts from. */
async function finishNatively(rootFolder: string, run: object): Promise<void> {
  // What Python compiles is the same on every architecture.
  const modules = ["usr/lib/python3.11", "usr/lib/python3/dist-packages"].map((path) => join(rootFolder, path));
  await execa("/usr/bin/python3", ["-m", "compileall", "-q", "-s", rootFolder, "-p", "/", ...modules], run);
  const authorities = 'cat "$1"/usr/share/ca-certificates/*/*.crt >"$1/etc/ssl/certs/ca-certificates.crt"';
  await execa("sh", ["-euc", authorities, "sh", rootFolder], run);
}
