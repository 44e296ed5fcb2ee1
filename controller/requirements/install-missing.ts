import process from "node:process";
import { Failure } from "../../proto/failure.ts";
import { debianPackages, type Need } from "../../proto/linux/debian-package.ts";
import { execaOutliving } from "../../proto/linux/leashed-execa.ts";
import { systemPath } from "../../proto/linux/system-path.ts";
import { findMissing } from "./find-unmet.ts";
import { renderInstallLine } from "./render-unmet.ts";
import { sourceFiles } from "./source-files.ts";

/**
 * Installs the Debian packages of what is missing, without starting their services, and says so first. Does nothing
 * when nothing is missing. What apt says goes to standard error.
 *
 * Throws Failure "invalid" with the line to run where this is not root, "unsupported" without apt-get, "tool-failed".
 */
export async function installMissing(needs: readonly Need[], log: (line: string) => void): Promise<void> {
  const missing = await findMissing(needs);
  if (missing.length === 0) return;
  const line = renderInstallLine(missing, process.getuid?.() === 0);
  if ((await findMissing(["apt-get"])).length > 0)
    throw new Failure(
      "unsupported",
      `--install needs apt-get, which this machine lacks; on Debian 12 it would run:\n  ${line}`,
    );
  if (process.getuid?.() !== 0) throw new Failure("invalid", `only root can install packages; run:\n  ${line}`);
  log(`installing ${debianPackages(missing).join(" ")}`);
  const script = ["-c", sourceFiles["install-packages"] ?? "exit 1", "install-packages", ...debianPackages(missing)];
  const env = { PATH: systemPath(process.env["PATH"]) };
  // Runs to the end even if this process dies: an interrupted dpkg leaves a broken machine.
  const { failed, shortMessage } = await execaOutliving("sh", script, {
    env,
    stdio: ["ignore", 2, 2],
    reject: false,
  });
  if (failed)
    throw new Failure(
      "tool-failed",
      `could not install the packages (${shortMessage?.split("\n", 1)[0]}); run:\n  ${line}`,
    );
  const still = await findMissing(missing);
  if (still.length > 0)
    throw new Failure(
      "tool-failed",
      `${debianPackages(still).join(" ")} did not provide ${still.join(", ")}: is this Debian 12?`,
    );
}
