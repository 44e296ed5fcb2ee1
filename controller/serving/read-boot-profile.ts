import { chooseAgentBoot } from "../boot/choose-agent-boot.ts";
import type { BootProfile } from "../boot/plan-boot.ts";
import { readBootTreeManifest } from "../boot-tree/read-manifest.ts";
import type { Stage } from "./stage.ts";

/**
 * What the operator and the boot tree say about booting. Read at each boot: the tree may be rebuilt while it is served.
 */
export async function readBootProfile({ config, adapters }: Pick<Stage, "config" | "adapters">): Promise<BootProfile> {
  const built = await readBootTreeManifest(config.bootTree).catch((error: unknown) => {
    adapters.log.error({ err: error }, "could not read what the boot tree holds");
    return undefined;
  });
  const { agent, local, loader } = config.bootProfile;
  return { agent: chooseAgentBoot(agent, built), local, loader };
}
