import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { renderGanesha } from "../../../controller/network/nfs/render-ganesha.ts";
import { createConsole } from "../console.ts";
import { ended, spawnLeashed } from "../leashed-process.ts";
import type { Network } from "../network.ts";

/**
 * Runs nfs-ganesha with its portmapper on the rack's network, apart from any controller, with `rootfs` as its read-only
 * export. Resolves with what ends both.
 */
export async function startGanesha(network: Network, folder: string, rootfs: string): Promise<() => Promise<void>> {
  const state = path.join(folder, "ganesha");
  await mkdir(state);
  const config = path.join(folder, "ganesha.conf");
  const clients = [{ base: (10 << 24) | (77 << 16), prefixLength: 24 }];
  await writeFile(config, renderGanesha({ path: rootfs, clients }, state));
  // Both talk by a socket in /run, where the host may have a portmapper of its own: so they get a /run of their own.
  const script = 'mount -t tmpfs tmpfs /run && mkdir -p /run/ganesha && rpcbind -f & sleep 0.5; exec ganesha.nfsd "$@"';
  const program = [
    "ganesha.nfsd",
    "-F",
    "-f",
    config,
    "-L",
    path.join(folder, "ganesha.log"),
    "-p",
    path.join(folder, "ganesha.pid"),
  ];
  const log = createConsole("nfs-ganesha");
  const child = spawnLeashed("nsenter", [
    `--net=${network.namespace.path}`,
    "--",
    ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"],
    ...["sh", "-c", script, ...program],
  ]);
  child.stderr?.setEncoding("utf8").on("data", log.append);
  child.stdout?.setEncoding("utf8").on("data", log.append);
  let isGone = false;
  const gone = ended(child).then(() => {
    isGone = true;
  });
  const stop = async () => {
    child.kill("SIGKILL");
    await gone;
  };
  const deadline = Date.now() + 20_000;
  for (;;) {
    const services = await network.namespace.run("rpcinfo", ["-p", network.address]).catch(() => "");
    if (/\b3\s+tcp\s+2049\b/.test(services)) return stop;
    if (isGone || Date.now() > deadline) {
      await stop();
      throw new Error(`nfs-ganesha does not serve:\n${log.tail(20)}\n${services}`);
    }
    await delay(200);
  }
}
