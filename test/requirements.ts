import { existsSync } from "node:fs";

/** The library that gives a program another time (LD_PRELOAD, libfaketime's README). */
export const falseTime = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`;

const checks = {
  root: () => process.getuid?.() === 0 || "needs root",
  "loop devices": () => existsSync("/dev/loop-control") || "needs loop devices (/dev/loop-control)",
  FUSE: () => (existsSync("/dev/fuse") && existsSync("/usr/bin/fuse2fs")) || "needs /dev/fuse and fuse2fs",
  "systemd-analyze": () => existsSync("/usr/bin/systemd-analyze") || "needs systemd-analyze (Debian package systemd)",
  dropbear: () => existsSync("/usr/sbin/dropbear") || "needs dropbear (Debian package dropbear-bin)",
  kubectl: () => existsSync("/usr/bin/kubectl") || "needs kubectl (Debian package kubernetes-client)",
  sshd: () => existsSync("/usr/sbin/sshd") || "needs sshd (Debian package openssh-server)",
  faketime: () => existsSync(falseTime) || "needs libfaketime (Debian package faketime)",
  setup: () =>
    ["/usr/sbin/nft", "/usr/sbin/chronyd", "/usr/bin/udevadm", "/usr/sbin/dnsmasq"].every(existsSync) ||
    "needs nftables, chrony, udev and dnsmasq-base",
  manual: () =>
    ["/usr/bin/man", "/usr/bin/groff", "/usr/bin/mandoc"].every(existsSync) || "needs man-db, groff and mandoc",
  shells: () =>
    ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish", "/usr/share/bash-completion/bash_completion"].every(existsSync) ||
    "needs bash-completion, zsh and fish",
  lintian: () => existsSync("/usr/bin/lintian") || "needs lintian (Debian package lintian)",
  Ansible: () => existsSync("/usr/bin/ansible-inventory") || "needs Ansible (Debian package ansible-core)",
  qemu: () =>
    ["/usr/bin/qemu-system-aarch64", "/usr/bin/ganesha.nfsd", "/usr/sbin/dnsmasq", "/dev/net/tun"].every(existsSync) ||
    "needs qemu-system-arm, nfs-ganesha, dnsmasq-base and /dev/net/tun",
} as const;

/** Real parts that some tests need and some machines lack. */
export type Requirement = keyof typeof checks;

/**
 * Options for node:test's test() that skip it, naming what is missing, where a real part is unavailable.
 * In CI nothing may be skipped: there a missing part is an error.
 */
export function requires(...requirements: Requirement[]): {
  skip: string | false;
} {
  const missing = requirements.map((name) => checks[name]()).filter((result) => result !== true);
  if (missing.length === 0) return { skip: false };
  if (process.env["CI"] === "true") throw new Error(`this test may not be skipped in CI: ${missing.join(", ")}`);
  return { skip: missing.join(", ") };
}
