import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fingerprintOf } from "../../proto/identity/authority-name.ts";
import { type Identity, identityOf } from "../../proto/identity/identity.ts";
import { type AgentIdentity, parseAgentIdentity, renderAgentIdentity } from "../../proto/system/agent-identity.ts";
import type { AgentRole } from "../../proto/system/agent-program.ts";
import { replaceFile } from "../linux/replace-file.ts";

/** Where what goes wrong is told. */
interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

/** What a kept identity must fit. */
export interface IdentityNeeds {
  readonly role: AgentRole;
  /** Of this boot; a netbooted agent's identity names it. */
  readonly bootId: string;
  /** The authority that the controller named at this boot; undefined at a boot without its words. */
  readonly authority: string | undefined;
}

/**
 * The identity that is kept in the file; undefined where there is none, or none that fits. Never rejects: an agent whose
 * identity is broken asks for a new one, and says why.
 */
export async function readIdentity(file: string, needs: IdentityNeeds, log: Log): Promise<AgentIdentity | undefined> {
  let kept: AgentIdentity;
  try {
    kept = parseAgentIdentity(await readFile(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      log.warn({ err: error, file }, "ignoring the kept identity");
    return undefined;
  }
  const misfit = judgeKept(
    identityOf(kept.certificate),
    kept.authorities.map(({ raw }) => fingerprintOf(raw)),
    needs,
  );
  if (misfit === undefined) return kept;
  log.info({ file }, `the kept identity ${misfit}`);
  return undefined;
}

/** Why a kept identity does not fit, for a sentence that starts with it; undefined when it does. */
function judgeKept(
  identity: Identity | undefined,
  authorities: readonly string[],
  { role, bootId, authority }: IdentityNeeds,
): string | undefined {
  if (identity?.kind !== role) return "is one of another role";
  if (identity.kind === "netboot" && identity.bootId !== bootId) return "is that of another boot";
  // A card that was carried into another rack must not take orders from its former controller.
  if (authority !== undefined && !authorities.includes(authority))
    return "believes another certificate authority than the one that this boot names (pallet.ca)";
  return undefined;
}

/** Keeps the identity for the agent's next start. Never rejects: a system that is read-only goes on, and says so. */
export async function keepIdentity(file: string, identity: AgentIdentity, log: Log): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await replaceFile(file, renderAgentIdentity(identity), 0o600);
  } catch (error) {
    log.warn({ err: error, file }, "could not keep the agent's identity for its next start");
  }
}
