/** What the benchmark's operating system holds, and what of it is upgraded. */
export interface PackageChoice {
  readonly included: readonly string[];
  readonly upgraded: readonly string[];
}

const server = [
  ..."systemd-sysv udev dbus openssh-server sudo curl wget ca-certificates gnupg vim less man-db bash-completion".split(
    " ",
  ),
  ..."apt git rsync tmux htop jq bind9-dnsutils bind9-host iproute2 iputils-ping nftables network-manager chrony".split(
    " ",
  ),
  ..."locales tzdata cron logrotate rsyslog unattended-upgrades python3 python3-pip python3-venv xz-utils".split(" "),
  ..."apache2 imagemagick linux-image-@ARCH@ initramfs-tools".split(" "),
];

const services = "php-cli nginx redis-server haproxy poppler-utils nfs-common".split(" ");

/**
 * 27 packages that Debian's security archive has upgraded since the point release, whole source packages at a time,
 * so that apt upgrades these and no others. Together they are about as large as the average 27 of those that could be
 * upgraded in the large system (2026-11: 66 packages, 0.7 MB each without the Java runtime).
 */
const upgraded = [
  ..."openssl libssl3 apt libapt-pkg6.0 bind9-dnsutils bind9-host bind9-libs xz-utils liblzma5".split(" "),
  ..."python3.11 python3.11-minimal python3.11-venv libpython3.11-minimal libpython3.11-stdlib".split(" "),
  ..."apache2 apache2-bin apache2-data apache2-utils".split(" "),
  ..."imagemagick imagemagick-6.q16 imagemagick-6-common libmagickcore-6.q16-6 libmagickwand-6.q16-6".split(" "),
  ..."tzdata ca-certificates rsync libexpat1".split(" "),
];

/**
 * Packages for Debian 12 on a processor architecture, as Debian names it. The small system has what a server has
 * (about 1 GiB with a kernel and its modules), the large one also more of what people serve with (about 1.5 GiB).
 */
export function choosePackages(size: "small" | "large", architecture: string): PackageChoice {
  const included = size === "large" ? [...server, ...services] : server;
  return { included: included.map((name) => name.replace("@ARCH@", architecture)), upgraded };
}
