import { chmod, copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Units that do nothing for a system in a test but take emulated seconds, or that fail in QEMU. */
const masked = [
  ..."e2scrub_reap.service e2scrub_all.timer apt-daily.timer apt-daily-upgrade.timer fstrim.timer".split(" "),
  ..."dpkg-db-backup.timer systemd-pstore.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount".split(" "),
  ..."systemd-hwdb-update.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount".split(" "),
  ..."sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount".split(" "),
  ..."modprobe@.service getty@tty1.service".split(" "),
];

/** Own programs and units; see files/. */
const programs = ["first-boot", "report-state"];
const enabled = { "first-boot.service": "sysinit.target.wants", "report-state.service": "multi-user.target.wants" };

/** What is in /etc of every such system. */
const files: Readonly<Record<string, string>> = {
  "etc/hosts": "127.0.0.1 localhost\n",
  "etc/resolv.conf": "",
  // Empty: made at the first boot (machine-id(5)).
  "etc/machine-id": "",
  "etc/systemd/network/10-wired.network":
    "[Match]\nName=en* eth* usb*\n\n[Network]\nDHCP=ipv4\n\n[DHCPv4]\nClientIdentifier=mac\n",
  "etc/cloud/cloud.cfg.d/99-pi.cfg": [
    "datasource_list: [NoCloud, None]",
    "datasource: {NoCloud: {seedfrom: file:///boot/firmware/}}",
    "network: {config: disabled}",
    "manage_etc_hosts: true",
    // Without the package "locales" the module fails.
    "locale: false",
    "ssh_deletekeys: false",
    "ssh_genkeytypes: [ed25519]",
    "",
  ].join("\n"),
  "etc/systemd/system/cloud-init-local.service.d/seed.conf": "[Unit]\nRequiresMountsFor=/boot/firmware\n",
};

/** Turns what Debian's packages have installed into a system for a Pi's card; changes only this folder. */
export async function configureSystem(rootFolder: string): Promise<void> {
  const at = (path: string) => join(rootFolder, path);
  const link = async (target: string, path: string) => {
    await mkdir(dirname(at(path)), { recursive: true });
    await rm(at(path), { force: true });
    await symlink(target, at(path));
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(at(path)), { recursive: true });
    await rm(at(path), { force: true });
    await writeFile(at(path), content);
  }
  for (const unit of masked) await link("/dev/null", `etc/systemd/system/${unit}`);
  for (const name of programs) {
    await copyFile(new URL(`files/${name}`, import.meta.url), at(`usr/local/sbin/${name}`));
    await chmod(at(`usr/local/sbin/${name}`), 0o755);
  }
  for (const [unit, target] of Object.entries(enabled)) {
    await copyFile(new URL(`files/${unit}`, import.meta.url), at(`etc/systemd/system/${unit}`));
    await link(`/etc/systemd/system/${unit}`, `etc/systemd/system/${target}/${unit}`);
  }
  const networkd = "/lib/systemd/system/systemd-networkd";
  await link(`${networkd}.service`, "etc/systemd/system/multi-user.target.wants/systemd-networkd.service");
  await link(
    `${networkd}-wait-online.service`,
    "etc/systemd/system/network-online.target.wants/systemd-networkd-wait-online.service",
  );
  // The packages' scripts have made keys, which every card would have.
  for (const type of ["rsa", "ecdsa", "ed25519"])
    for (const suffix of ["", ".pub"]) await rm(at(`etc/ssh/ssh_host_${type}_key${suffix}`), { force: true });
  const server = await readFile(at("etc/ssh/sshd_config"), "utf8");
  await rm(at("etc/ssh/sshd_config"));
  await writeFile(at("etc/ssh/sshd_config"), `HostKey /etc/ssh/ssh_host_ed25519_key\n${server}`);
}
