import { constants } from "node:fs";
import { access } from "node:fs/promises";
import path from "node:path";
import { Failure } from "../../proto/failure.ts";
import { systemEnvironment } from "./supervise-process.ts";

/** Throws Failure "unsupported" that names every program which is not installed, and what installs them. */
export async function assertInstalled(
  programs: readonly string[],
  { purpose, packages, instead }: { readonly purpose: string; readonly packages: string; readonly instead: string },
): Promise<void> {
  const missing: string[] = [];
  for (const program of programs) if (!(await isInstalled(program))) missing.push(program);
  if (missing.length === 0) return;
  const [what, are, it] = missing.length === 1 ? ["program", "is", "it"] : ["programs", "are", "them"];
  throw new Failure(
    "unsupported",
    `${purpose} needs the ${what} ${missing.join(", ")}, which ${are} not installed; install ${it} by "apt-get install ${packages}", or ${instead}`,
  );
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
