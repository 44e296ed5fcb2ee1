import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { cacheEntry } from "../../../controller/artefacts/cache-entry.ts";
import { checkoutCache } from "../../../controller/artefacts/checkout-cache.ts";
import { defaultMirror, defaultSuite } from "../../../controller/artefacts/debian-defaults.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { bareDebian } from "../../../scripts/packages/debian-index.ts";

const aptIn = path.join(import.meta.dirname, "apt-in");

/**
 * The root filesystem of a bare Debian with systemd, of this machine's architecture; not to be written to, because every
 * test shares it. Half a minute of the processor the first time, and then kept for all checkouts. Needs root, and the
 * network when something is not in the cache.
 *
 * @param further packages on top of it, of which the packages that they recommend are not installed: a copy of its own
 */
export async function provideDebianRoot(further: readonly string[] = []): Promise<string> {
  const base = await cached("root", bareDebian, async (folder) => {
    const options = ["--mode=root", "--variant=minbase", "--components=main", "--dpkgopt=force-unsafe-io"];
    await execa(
      "mmdebstrap",
      [
        ...options,
        // Otherwise the package usrmerge makes these links, by Perl.
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        `--include=${bareDebian.join(",")}`,
        ...[defaultSuite, path.join(folder, "root"), defaultMirror],
      ],
      { stdin: "ignore" },
    );
  });
  if (further.length === 0) return path.join(base, "root");
  const packages = further.toSorted();
  const layer = await cached("root", [...bareDebian, ...packages], async (folder) => {
    await execa("cp", ["--archive", "--reflink=auto", path.join(base, "root"), folder]);
    await runApt(path.join(folder, "root"), folder, "install", "--no-install-recommends", ...packages);
  });
  return path.join(layer, "root");
}

/** Runs apt-get(8) on the root filesystem, with its lists and archives below `folder`. */
async function runApt(root: string, folder: string, ...args: readonly string[]): Promise<void> {
  await mkdir(path.join(folder, "archives"));
  const spaces = ["--mount", "--pid", "--fork", "--kill-child"];
  await execa("unshare", [...spaces, aptIn, root, path.join(folder, "archives"), ...args], { stdin: "ignore" });
}

async function cached(
  kind: string,
  content: readonly string[],
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const key = createHash("sha256")
    .update(JSON.stringify([defaultSuite, defaultMirror, content]))
    .digest("hex")
    .slice(0, 16);
  return await cacheEntry(checkoutCache("machine"), `${kind}-${key}`, build);
}
