import { chooseAgentBoot } from "../boot/choose-agent-boot.ts";
import type { BootProfile } from "../boot/plan-boot.ts";
import { readServedRoots, servedRootOf } from "../boot/read-served-root.ts";
import { readBootTreeManifest } from "../boot-tree/read-manifest.ts";
import type { Stage } from "./stage.ts";

/**
 * What the operator, the boot tree and the root filesystems say about booting. Read at each boot: both may be rebuilt
 * while they are served.
 */
export async function readBootProfile({ config, adapters }: Pick<Stage, "config" | "adapters">): Promise<BootProfile> {
  const built = await readBootTreeManifest(config.bootTree).catch((error: unknown) => {
    adapters.log.error({ err: error }, "could not read what the boot tree holds");
    return undefined;
  });
  const { agent, local, loader } = config.bootProfile;
  const roots = await readServedRoots(config.nfs);
  const chosen = chooseAgentBoot(agent, built, servedRootOf(roots));
  // Never the store itself: a node would find no system in it, and wait for ever instead of trying again.
  const unfinished = chosen.root === undefined && roots.path !== undefined && { root: { nfsPath: roots.path } };
  return { agent: { ...chosen, ...unfinished }, local, loader };
}
