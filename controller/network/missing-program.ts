import { constants } from "node:fs";
import { access } from "node:fs/promises";
import path from "node:path";
import { Failure } from "../../proto/failure.ts";
import { systemEnvironment } from "./supervise-process.ts";

/** Throws Failure "unsupported" that names the program which is not installed, and what installs it. */
export async function assertInstalled(
  programs: readonly string[],
  { purpose, packages, instead }: { readonly purpose: string; readonly packages: string; readonly instead: string },
): Promise<void> {
  for (const program of programs) {
    if (await isInstalled(program)) continue;
    throw new Failure(
      "unsupported",
      `${purpose} needs the program ${program}, which is not installed; install it by "apt-get install ${packages}", or ${instead}`,
    );
  }
}

async function isInstalled(program: string): Promise<boolean> {
  for (const folder of systemEnvironment.PATH.split(":").filter((each) => each !== "")) {
    try {
      await access(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
    }
  }
  return false;
}
