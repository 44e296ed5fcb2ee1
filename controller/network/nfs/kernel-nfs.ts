import { mkdir } from "node:fs/promises";
import path from "node:path";
import { Failure } from "../../../proto/failure.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { assertInstalled } from "../missing-program.ts";
import { systemEnvironment } from "../supervise-process.ts";
import { writeFileAtomically } from "../write-file-atomically.ts";
import type { NfsServer, NfsServerOptions } from "./nfs-server.ts";
import { renderExports } from "./render-exports.ts";

const packages = "nfs-kernel-server";

/**
 * Exports by the kernel's own NFS server, which the system's service manager runs. The export outlives the controller:
 * nodes live on it.
 *
 * @param exportsFolder where exportfs(8) looks for further files
 */
export async function startKernelNfs(
  { nfsExport, log }: Pick<NfsServerOptions, "nfsExport" | "log">,
  exportsFolder = "/etc/exports.d",
): Promise<NfsServer> {
  await assertInstalled(["exportfs"], {
    purpose: "nfs.mode kernel",
    instead: "set nfs.mode to ganesha, which does not need the kernel's NFS server",
  });
  const file = path.join(exportsFolder, "pallet.exports");
  await mkdir(exportsFolder, { recursive: true });
  await writeFileAtomically(file, renderExports(nfsExport));
  const exported = await execa("exportfs", ["-ra"], { reject: false, env: systemEnvironment });
  if (exported.exitCode !== 0) {
    throw new Failure("tool-failed", `exportfs cannot apply ${file}: ${exported.stderr.trim()}`, {
      cause: exported,
    });
  }
  log.debug({ file }, "exported by the kernel's NFS server");
  return {
    remedy:
      `the kernel's NFS server must run ("apt-get install ${packages}", "systemctl enable --now nfs-server"); ` +
      "if the kernel has none, set nfs.mode to ganesha",
    close: async () => undefined,
  };
}
