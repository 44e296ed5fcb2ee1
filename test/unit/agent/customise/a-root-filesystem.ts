import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";

/** What is at a path of a root filesystem: a text, a text with a mode, or a link. */
type Item = string | { readonly text: string; readonly mode: number } | { readonly link: string };

const program = { text: "\x7fELF", mode: 0o755 } as const;
const passwd = [
  "root:x:0:0:root:/root:/bin/bash",
  "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
];
const groups = ["root:x:0:", "daemon:x:1:", "sudo:x:27:", "video:x:44:", "nogroup:x:65534:"];
const lines = (...all: readonly string[]) => `${all.join("\n")}\n`;
const unit = (...install: readonly string[]) => lines("[Service]", "ExecStart=/bin/true", "[Install]", ...install);

const accounts = (extra: readonly string[] = []): Record<string, Item> => ({
  "/etc/passwd": lines(...passwd, ...extra.map((name) => `${name}:x:1000:1000:,,,:/home/${name}:/bin/bash`)),
  "/etc/shadow": {
    text: lines("root:*:19000:0:99999:7:::", ...extra.map((name) => `${name}:!:19000:0:99999:7:::`)),
    mode: 0o640,
  },
  "/etc/group": lines(...groups, ...extra.map((name) => `${name}:x:1000:`)),
  "/etc/gshadow": {
    text: lines("root:*::", "sudo:*::", "video:*::", ...extra.map((name) => `${name}:!::`)),
    mode: 0o640,
  },
  "/etc/skel/.profile": "# a profile\n",
  "/etc/shells": "# shells\n/bin/sh\n/bin/bash\n",
});

const debian: Record<string, Item> = {
  "/bin": { link: "usr/bin" },
  "/sbin": { link: "usr/sbin" },
  "/lib": { link: "usr/lib" },
  ...accounts(),
  "/usr/sbin/init": { link: "/lib/systemd/systemd" },
  "/usr/lib/systemd/systemd": program,
  "/usr/bin/bash": program,
  "/usr/bin/sudo": program,
  "/usr/sbin/sshd": program,
  "/usr/sbin/ifup": program,
  "/etc/sudoers": "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
  "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
  "/etc/subuid": "",
  "/etc/subgid": "",
  "/etc/hostname": "debian\n",
  "/etc/hosts": "127.0.0.1\tlocalhost\n127.0.1.1\tdebian\n# kept\n",
  "/etc/timezone": "Etc/UTC\n",
  "/etc/localtime": { link: "/usr/share/zoneinfo/Etc/UTC" },
  "/usr/share/zoneinfo/Etc/UTC": "TZif",
  "/usr/share/zoneinfo/Europe/Zurich": "TZif",
  "/usr/lib/locale/C.utf8/LC_CTYPE": "x",
  "/etc/default/locale": "# Created by hand\nLANG=C\n",
  "/etc/default/keyboard": '# keyboard(5)\nXKBMODEL="pc105"\nXKBLAYOUT="us"\n',
  "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
  "/var/lib/dbus/machine-id": { link: "/etc/machine-id" },
  "/etc/ssh/sshd_config": "# comment\nInclude /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
  "/etc/ssh/ssh_host_rsa_key": { text: "of the image", mode: 0o600 },
  "/usr/lib/systemd/system/ssh.service": unit("WantedBy=multi-user.target", "Alias=sshd.service"),
  "/usr/lib/systemd/system/networking.service": unit("WantedBy=multi-user.target"),
  "/usr/lib/systemd/system/apt-daily.timer": unit("WantedBy=timers.target"),
  "/usr/lib/systemd/system/getty@.service": unit("WantedBy=getty.target", "DefaultInstance=tty1"),
  "/usr/lib/systemd/system/system-systemd\\x2dcryptsetup.slice": "[Unit]\n",
  // What no unit is, and no tool is given the name of.
  "/usr/lib/systemd/system/a name with spaces; and more": "",
  "/usr/lib/systemd/system/static.service": "[Service]\nExecStart=/bin/true\n",
  "/etc/systemd/system/multi-user.target.wants/networking.service": { link: "/lib/systemd/system/networking.service" },
  "/etc/systemd/system/timers.target.wants/apt-daily.timer": { link: "/lib/systemd/system/apt-daily.timer" },
  "/etc/network/interfaces":
    "source /etc/network/interfaces.d/*\nauto lo eth0\niface lo inet loopback\niface eth0 inet dhcp\n\tmetric 5\n",
};

const without = (root: Record<string, Item>, ...paths: readonly string[]) =>
  Object.fromEntries(Object.entries(root).filter(([each]) => !paths.some((path) => each.includes(path))));

const raspberry: Record<string, Item> = {
  ...without(debian, "networking", "/etc/network/"),
  ...accounts(["pi"]),
  "/etc/hostname": "raspberrypi\n",
  "/usr/sbin/wpa_supplicant": program,
  "/usr/lib/systemd/system/NetworkManager.service": unit(
    "WantedBy=multi-user.target",
    "Also=NetworkManager-dispatcher.service",
  ),
  "/etc/systemd/system/multi-user.target.wants/NetworkManager.service": {
    link: "/lib/systemd/system/NetworkManager.service",
  },
  "/usr/lib/systemd/system/userconfig.service": unit("WantedBy=multi-user.target"),
  "/etc/systemd/system/multi-user.target.wants/userconfig.service": { link: "/lib/systemd/system/userconfig.service" },
  "/usr/lib/systemd/system/sshswitch.service": unit("WantedBy=multi-user.target"),
  "/etc/systemd/system/multi-user.target.wants/sshswitch.service": { link: "/lib/systemd/system/sshswitch.service" },
  "/etc/ssh/sshd_config.d/rename_user.conf": "Banner /usr/share/userconf-pi/sshd_banner\n",
  "/var/lib/systemd/rfkill/platform-fe300000.mmcnr:wlan": "1\n",
  "/var/lib/NetworkManager/NetworkManager.state": "[main]\nWirelessEnabled=false\n",
};

const buildroot: Record<string, Item> = {
  "/etc/passwd": lines("root::0:0:root:/root:/bin/sh"),
  "/etc/group": lines("root:x:0:", "video:x:28:"),
  "/bin/busybox": program,
  "/bin/sh": { link: "busybox" },
  "/sbin/init": { link: "../bin/busybox" },
  "/sbin/ifup": { link: "../bin/busybox" },
  "/etc/inittab": "::sysinit:/etc/init.d/rcS\n",
  "/etc/hostname": "buildroot\n",
  "/etc/init.d/S40network": program,
  "/etc/network/interfaces": "auto lo\niface lo inet loopback\n",
};
/** With the names of the keys that it knows, as a program has them. */
const dropbear = { text: "\x7fELF ssh-ed25519 ssh-rsa ecdsa-sha2-nistp256", mode: 0o755 } as const;

/** Root filesystems as these systems have them, as far as they decide on what is written. */
export const rootFilesystems = {
  debian,
  "raspberry-pi-os-bookworm": {
    ...raspberry,
    "/usr/lib/raspberrypi-sys-mods/regenerate_ssh_host_keys": program,
    "/usr/lib/systemd/system/regenerate_ssh_host_keys.service": unit("WantedBy=multi-user.target"),
    "/etc/systemd/system/multi-user.target.wants/regenerate_ssh_host_keys.service": {
      link: "/lib/systemd/system/regenerate_ssh_host_keys.service",
    },
  },
  "raspberry-pi-os-trixie": {
    ...without(raspberry, "timezone", "userconfig"),
    "/etc/default/locale": { link: "../locale.conf" },
    "/etc/locale.conf": "LANG=C\n",
    "/usr/bin/cloud-init": program,
    "/usr/lib/systemd/system-generators/netplan": program,
    "/etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg": "datasource_list: [ NoCloud, None ]\n",
    "/etc/machine-id": "uninitialized\n",
  },
  ubuntu: {
    ...without(debian, "networking", "/etc/network/"),
    "/usr/bin/cloud-init": program,
    "/usr/sbin/wpa_supplicant": program,
    "/usr/lib/systemd/system-generators/netplan": program,
    "/usr/lib/systemd/system/systemd-networkd.service": unit("WantedBy=multi-user.target"),
    "/usr/lib/systemd/system/ssh.socket": unit("WantedBy=sockets.target"),
    "/etc/systemd/system/sockets.target.wants/ssh.socket": { link: "/lib/systemd/system/ssh.socket" },
  },
  alpine: {
    "/etc/passwd": lines("root:x:0:0:root:/root:/bin/ash", "guest:x:405:100:guest:/dev/null:/sbin/nologin"),
    "/etc/shadow": { text: lines("root:*::0:::::", "guest:!::0:::::"), mode: 0o640 },
    "/etc/group": lines("root:x:0:root", "wheel:x:10:root", "video:x:27:root"),
    "/bin/busybox": program,
    "/bin/ash": { link: "/bin/busybox" },
    "/bin/sh": { link: "/bin/busybox" },
    "/sbin/init": { link: "/bin/busybox" },
    "/sbin/openrc": program,
    "/sbin/ifup": program,
    "/usr/sbin/sshd": program,
    "/etc/inittab": "::sysinit:/sbin/openrc sysinit\n",
    "/etc/os-release": "ID=alpine\n",
    "/etc/hostname": "localhost\n",
    "/etc/hosts": "127.0.0.1\tlocalhost.localdomain localhost\n",
    "/etc/ssh/sshd_config": "Port 22\nMatch User git\n  PasswordAuthentication no\n",
    "/etc/init.d/sshd": program,
    "/etc/init.d/networking": program,
    "/etc/init.d/chronyd": program,
    "/etc/runlevels/boot/networking": { link: "/etc/init.d/networking" },
    "/etc/runlevels/default/chronyd": { link: "/etc/init.d/chronyd" },
    "/etc/network/interfaces": "auto lo\niface lo inet loopback\n",
  },
  buildroot: {
    ...buildroot,
    "/etc/init.d/S50sshd": program,
    "/usr/sbin/sshd": program,
    "/etc/ssh/sshd_config": "#Port 22\n",
  },
  /** Its dropbear's keys are in RAM, until a start script finds the root filesystem writable. */
  "buildroot-with-dropbear": {
    ...buildroot,
    ...{ "/usr/sbin/dropbear": dropbear, "/etc/init.d/S50dropbear": program },
    "/etc/dropbear": { link: "/var/run/dropbear" },
    "/var/run": { link: "../run" },
  },
  openwrt: {
    ...buildroot,
    "/etc/os-release": 'ID="openwrt"\nID_LIKE="lede openwrt"\n',
    "/sbin/init": program,
    "/sbin/procd": program,
    ...{ "/usr/sbin/dropbear": dropbear, "/etc/init.d/dropbear": program },
    "/etc/rc.d/S19dropbear": { link: "../init.d/dropbear" },
    "/etc/dropbear/dropbear_rsa_host_key": { text: "of the image", mode: 0o600 },
    "/etc/config/system": "config system\n\toption hostname 'OpenWrt'\n",
  },
} as const satisfies Record<string, Record<string, Item>>;

export type RootName = keyof typeof rootFilesystems;

/** Makes one of them, with what is other in it, in a folder that goes away after the test. */
export async function aRootFilesystem(
  test: Pick<TestContext, "after">,
  name: RootName,
  other: Record<string, Item> = {},
): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-root-"));
  test.after(() => rm(folder, { recursive: true, force: true }));
  const root = path.join(folder, "root");
  await mkdir(path.join(root, "etc"), { recursive: true });
  for (const [at, item] of Object.entries({ ...rootFilesystems[name], ...other })) {
    const file = path.join(root, at);
    await mkdir(path.dirname(file), { recursive: true });
    await rm(file, { recursive: true, force: true });
    if (typeof item !== "string" && "link" in item) await symlink(item.link, file);
    else await writeFile(file, typeof item === "string" ? item : item.text);
    if (typeof item !== "string" && "mode" in item) await chmod(file, item.mode);
  }
  return root;
}
