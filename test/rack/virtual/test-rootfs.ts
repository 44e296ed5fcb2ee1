import { appendFile, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { cacheEntry } from "../../../controller/artefacts/cache-entry.ts";
import { forgetOldest } from "../../../controller/artefacts/forget-oldest.ts";
import { shellPort } from "./virtual-board.ts";

/**
 * A copy of a rootfs that answers on TCP port `shellPort` with a shell of root, so that a test can look around in a
 * running node and kill its agent. Everything else in it is what is shipped.
 */
export async function provideTestRootfs(cacheDirectory: string, rootFolder: string, key: string): Promise<string> {
  const folder = await cacheEntry(cacheDirectory, `test-rootfs-${key}`, async (building) => {
    const root = path.join(building, "root");
    // Hard links make the copy free; the one file that differs is replaced, never written through.
    await execa("cp", ["--archive", "--link", rootFolder, root]);
    const inittab = path.join(root, "etc/inittab");
    const shipped = await readFile(inittab);
    await execa("rm", [inittab]);
    await writeFile(inittab, shipped);
    await appendFile(inittab, `::respawn:/usr/bin/busybox nc -ll -p ${shellPort} -e /bin/sh\n`);
  });
  await forgetOldest(cacheDirectory, "test-rootfs-", folder);
  return path.join(folder, "root");
}
