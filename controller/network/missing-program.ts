import { Failure } from "../../proto/failure.ts";
import { debianPackages, type Need } from "../../proto/linux/debian-package.ts";
import { findMissing } from "../requirements/find-unmet.ts";

/** Throws Failure "unsupported" that names everything which is not installed, and what installs it. */
export async function assertInstalled(
  needs: readonly Need[],
  { purpose, instead }: { readonly purpose: string; readonly instead: string },
): Promise<void> {
  const missing = await findMissing(needs);
  if (missing.length === 0) return;
  const [are, them] = missing.length === 1 ? ["is", "it"] : ["are", "them"];
  throw new Failure(
    "unsupported",
    `${purpose} needs ${missing.join(", ")}, which ${are} not installed; install ${them} with "apt-get install ` +
      `${debianPackages(missing).join(" ")}", or ${instead}`,
  );
}
