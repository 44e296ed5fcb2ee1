import { createHash } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { cacheEntry } from "../../../controller/artefacts/cache-entry.ts";
import { checkoutCache } from "../../../controller/artefacts/checkout-cache.ts";
import { defaultMirror, defaultSuite } from "../../../controller/artefacts/debian-defaults.ts";

const packages = ["systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "sudo", "ifupdown", "tzdata", "iproute2"];
const leftOut = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"];

/**
 * A root filesystem of this machine's architecture with systemd and OpenSSH, as a tar(1) archive: installed by its
 * packages' own scripts, a minute the first time, and then kept for all checkouts.
 */
export async function debianArchive(): Promise<string> {
  const args = [
    ...["--mode=root", "--variant=essential", "--components=main", "--format=tar"],
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    `--include=${packages.join(",")}`,
  ];
  const key = createHash("sha256")
    .update(JSON.stringify([args, defaultMirror]))
    .digest("hex")
    .slice(0, 16);
  const folder = await cacheEntry(checkoutCache("configured-system"), `debian-${defaultSuite}-${key}`, async (made) => {
    await execa("mmdebstrap", [...args, defaultSuite, join(made, "root.tar"), defaultMirror], { stdin: "ignore" });
  });
  return join(folder, "root.tar");
}
