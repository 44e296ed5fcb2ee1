import { appendFile } from "node:fs/promises";
import path from "node:path";

/** TCP port on which a rootfs answers that `addTestShell` has changed. Nothing that is shipped does. */
export const shellPort = 7799;

/**
 * Has a root filesystem answer on TCP port `shellPort` with a shell of root, so that a test can look around in a
 * running node and kill its agent. Everything else in it is what is shipped.
 */
export async function addTestShell(rootFolder: string): Promise<void> {
  const line = `::respawn:/usr/bin/busybox nc -ll -p ${shellPort} -e /bin/sh\n`;
  await appendFile(path.join(rootFolder, "etc/inittab"), line);
}
