import type { Need } from "../../proto/linux/debian-package.ts";

/** What a private apt root needs; an https mirror is verified with the machine's certificate authorities. */
export function archiveNeeds(mirror: string): readonly Need[] {
  const certificates: readonly Need[] = /^https:/i.test(mirror) ? ["/etc/ssl/certs/ca-certificates.crt"] : [];
  return ["apt-get", "apt-cache", "dpkg-deb", "/usr/share/keyrings/debian-archive-keyring.gpg", ...certificates];
}
