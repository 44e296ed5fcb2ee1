import { Failure } from "../../proto/failure.ts";
import { findUnmet } from "./find-unmet.ts";
import { renderUnmet } from "./render-unmet.ts";
import type { Requirements } from "./requirements.ts";

/**
 * Throws Failure "tool-failed", or "invalid" for missing rights, that names everything which keeps a command from
 * beginning, and the one line that installs what is missing. Called before anything is fetched or made.
 */
export async function assertRequirements(
  requirements: Requirements,
  { canInstall = false }: { readonly canInstall?: boolean } = {},
): Promise<void> {
  const unmet = await findUnmet(requirements);
  const message = renderUnmet(requirements, unmet, canInstall);
  if (message === undefined) return;
  throw new Failure(unmet.needs.length > 0 ? "tool-failed" : "invalid", message);
}
