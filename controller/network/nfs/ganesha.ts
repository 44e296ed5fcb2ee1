import { mkdir, realpath, rm, stat } from "node:fs/promises";
import path from "node:path";
import { NotYet } from "../../refusal/not-yet.ts";
import { assertInstalled } from "../missing-program.ts";
import { callRpc } from "../onc-rpc/rpc-client.ts";
import { superviseProcess } from "../supervise-process.ts";
import { writeFileAtomically } from "../write-file-atomically.ts";
import { explainGaneshaEnd } from "./explain-ganesha-end.ts";
import type { NfsServer, NfsServerOptions } from "./nfs-server.ts";
import { renderGanesha } from "./render-ganesha.ts";

/**
 * Runs nfs-ganesha with a portmapper of its own, both in namespaces that only they are in: the portmapper listens on a
 * path in /run that is the same for every network namespace, so a private /run keeps two apart, and the process
 * namespace ends both together. `$@` is the server's command.
 */
const withPortmapper = 'mount -t tmpfs -o mode=0755,size=4m tmpfs /run && mkdir /run/rpcbind && rpcbind && exec "$@"';
const namespaces = ["unshare", "--mount", "--propagation", "slave", "--pid", "--fork", "--kill-child=KILL"];

/** How often to check whether the root filesystem's path leads to another folder, in milliseconds. */
const followEveryMs = 5000;

/** Exports with nfs-ganesha, which lives and dies with the controller. */
export async function startGanesha({ nfsExport, directory, clock, log }: NfsServerOptions): Promise<NfsServer> {
  const instead = "set nfs.mode to kernel if the kernel has an NFS server";
  await assertInstalled(["ganesha.nfsd", "/usr/lib/*/ganesha/libfsalvfs.so", "rpcbind", "unshare"], {
    purpose: "nfs.mode ganesha",
    instead,
  });
  let folder = await findFolder(nfsExport.path);
  const stateFolder = path.join(directory, "recovery");
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  const configurationFile = path.join(directory, "ganesha.conf");
  const configure = () => writeFileAtomically(configurationFile, renderGanesha(nfsExport, folder.path, stateFolder));
  await configure();

  const ownPortmapper = !(await portmapperAnswers());
  if (ownPortmapper) log.info({}, "nothing answers at port 111: starting rpcbind for nfs-ganesha");
  const processIdFile = path.join(directory, "ganesha.pid");
  await rm(processIdFile, { force: true });
  const server = ["ganesha.nfsd", "-F", "-L", "STDOUT", "-f", configurationFile, "-p", processIdFile];
  const ganesha = await superviseProcess(
    {
      name: "nfs-ganesha",
      command: ownPortmapper ? ["--", ...namespaces, "sh", "-c", withPortmapper, "sh", ...server] : ["--", ...server],
      isReady: (line) => line.includes("NFS SERVER INITIALIZED"),
      explainEnd: explainGaneshaEnd,
      onLine: (line) => log.debug({ line }, "nfs-ganesha"),
      // It takes many seconds to end in peace, and holds nothing that a kill could harm: the export is read-only.
      stopSignal: "SIGKILL",
    },
    { clock, log },
  );
  const closed = new AbortController();
  /** It holds on to the folder that it found when it started, whatever has taken the folder's place and name since. */
  const follow = async (): Promise<void> => {
    const found = await findFolder(nfsExport.path).catch((error: unknown) => {
      // It is just being replaced.
      if (error instanceof NotYet) return folder;
      throw error;
    });
    if (found.identity === folder.identity && found.path === folder.path) return;
    log.info({ folder: found.path }, "nfs.rootfs is now another folder: restarting nfs-ganesha");
    folder = found;
    await configure();
    await ganesha.renew();
  };
  const followAgain = (): void => {
    const run = (): void => {
      follow()
        .catch((error: unknown) => log.error({ err: error }, "nfs-ganesha could not follow the change of nfs.rootfs"))
        .finally(followAgain);
    };
    clock.setTimeout(run, followEveryMs, closed.signal);
  };
  followAgain();
  return {
    remedy: `check nfs-ganesha's log (logLevel: debug), and the installation of nfs-ganesha, nfs-ganesha-vfs and rpcbind`,
    close() {
      closed.abort();
      return ganesha.close();
    },
  };
}

/** The folder itself, without the symbolic links that may lead to it, and what tells it from another of that name. */
async function findFolder(folder: string): Promise<{ readonly path: string; readonly identity: string }> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return { path: await realpath(folder), identity: `${found.dev}:${found.ino}` };
  throw new NotYet(
    `nfs.rootfs is ${folder}, which does not exist; make it with "controller rootfs build", or correct nfs.rootfs`,
  );
}

/** Whether this machine already has a portmapper (RFC 1833). */
async function portmapperAnswers(): Promise<boolean> {
  const call = { address: "127.0.0.1", port: 111, program: 100_000, version: 2, procedure: 0 };
  return await callRpc(call, AbortSignal.timeout(1000)).then(
    () => true,
    () => false,
  );
}
