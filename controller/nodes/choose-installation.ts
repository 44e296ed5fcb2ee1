import { type RootIds, sameRootIds } from "../../proto/node/root-ids.ts";
import type { Installation, InstalledConfig, Node } from "./node.ts";
import type { Registration } from "./registration.ts";

/**
 * What is known of a node's card after a registration. Only the system itself that a reimage installed, by the stamp
 * that it bears, may say by which ids its root is found now: a late word of what the card held before changes nothing.
 * In a record of an older Pallet, which kept no installation, the first resident agent that is heard founds one.
 */
export function installationAfter(
  before: Installation | undefined,
  { facts, agent }: Pick<Registration, "facts" | "agent">,
): Installation | undefined {
  const { installed, role } = agent;
  if (role !== "resident" || installed === undefined) return before;
  const { imageDigest, reimageId } = installed;
  if (before !== undefined && (before.reimageId !== reimageId || before.imageDigest !== imageDigest)) return before;
  const { ids } = facts.root;
  const root = ids === undefined ? before?.root : keepingShared(ids, before?.root);
  const { erased: _, config: kept, ...known } = before ?? {};
  const config = configAfter(kept, installed.config);
  return {
    ...{ ...known, imageDigest, reimageId, resident: true },
    ...(config && { config }),
    ...(root !== undefined && { root }),
  };
}

/** What was kept of a config, if the stamp is of the same one; of another one only its digest is known. */
function configAfter(kept: InstalledConfig | undefined, digest: string | undefined): InstalledConfig | undefined {
  if (kept?.digest === digest) return kept;
  return digest === undefined ? undefined : { digest, profiles: [] };
}

/** A system looks at its own root only; whether another disk has the same id was seen in the agent. */
function keepingShared(now: RootIds, before: RootIds | undefined): RootIds {
  const partition = before?.partitionUuidShared === true && before.partitionUuid === now.partitionUuid;
  const filesystem = before?.filesystemUuidShared === true && before.filesystemUuid === now.filesystemUuid;
  return {
    partitionUuid: now.partitionUuid,
    filesystemUuid: now.filesystemUuid,
    ...(partition && { partitionUuidShared: true }),
    ...(filesystem && { filesystemUuidShared: true }),
  };
}

/** What to tell of a change of the ids by which a root is found; undefined when there is none. */
export function describeRootChange(
  name: Node["name"],
  before: RootIds | undefined,
  now: RootIds | undefined,
): string | undefined {
  if (before === undefined || now === undefined || sameRootIds(before, now)) return undefined;
  const changes = [
    changeOf("PARTUUID", before.partitionUuid, now.partitionUuid),
    changeOf("filesystem's UUID", before.filesystemUuid, now.filesystemUuid),
  ].filter((change) => change !== undefined);
  if (changes.length === 0) return undefined;
  return `the system on ${name}'s card changed its root's ${changes.join(" and its ")}; its next boot uses what is there now`;
}

function changeOf(what: string, before: string, now: string): string | undefined {
  return before === now ? undefined : `${what} (was ${before || "none"}, now ${now || "none"})`;
}
