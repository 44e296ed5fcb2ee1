import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { assertRequirements } from "../requirements/assert-requirements.ts";
import { planRootfsBake } from "../requirements/plan-requirements.ts";
import type { Requirements } from "../requirements/requirements.ts";
import { checkAgent } from "./check-agent.ts";
import { chooseInitSystem, type InitSystem } from "./choose-init-system.ts";
import { agentUnitName, renderAgentUnit } from "./render-agent-unit.ts";
import { renderCleanFstab } from "./render-fstab.ts";
import { addAgentToInittab } from "./render-inittab.ts";
import { type RootTree, rootTree } from "./root-tree.ts";
import { withRootOfImage } from "./with-root-of-image.ts";

/** Where the agent lies in every root filesystem that nodes netboot into. */
export const agentPath = "/usr/bin/pallet-agent";

/** An existing root filesystem, and the agent that goes into it. */
export interface BakeRequest {
  /** A folder with a root filesystem, or the image file (.img, not compressed) of a whole card. */
  readonly target: string;
  /** A program for arm64 Linux. */
  readonly agentFile: string;
  readonly signal?: AbortSignal | undefined;
}

/** What was baked into what. */
export interface Baked {
  readonly initSystem: InitSystem;
  /** Number of the image's partition that holds the root filesystem; undefined for a folder. */
  readonly partition?: number;
}

/**
 * Puts the agent, what starts it, and an fstab that mounts nothing of a card into a root filesystem that exists already.
 * Doing it again puts in the new agent and changes nothing else.
 *
 * Throws a Failure: `invalid` for a bad target or agent, `unsupported` without an init system that is known,
 * `image-damaged`, `tool-failed`, `cancelled`.
 */
export async function bakeRootfs({ target, agentFile, signal }: BakeRequest): Promise<Baked> {
  await assertRequirements(await rootfsBakeRequirements({ target }), { canInstall: true });
  await checkAgent(agentFile);
  if (await isFolder(target)) return { initSystem: await bakeInto(resolve(target), agentFile) };
  return withRootOfImage({ imagePath: resolve(target), access: "read-write", signal }, async (folder, partition) => ({
    initSystem: await bakeInto(folder, agentFile),
    partition,
  }));
}

/** What baking needs of this machine. Throws Failure "invalid" for a target that is neither a folder nor a file. */
export async function rootfsBakeRequirements({ target }: Pick<BakeRequest, "target">): Promise<Requirements> {
  const plan = planRootfsBake({ target: (await isFolder(target)) ? "folder" : "image" });
  return { ...plan, writes: [resolve(target)] };
}

async function isFolder(target: string): Promise<boolean> {
  const found = await stat(target).catch((cause: NodeJS.ErrnoException) => {
    throw new Failure(
      "invalid",
      `cannot bake into ${target}: ${cause.code === "ENOENT" ? "it does not exist" : cause.message}`,
      { cause },
    );
  });
  if (!found.isDirectory() && !found.isFile())
    throw new Failure("invalid", `cannot bake into ${target}: it is neither a folder nor an image file`);
  return found.isDirectory();
}

async function bakeInto(folder: string, agentFile: string): Promise<InitSystem> {
  const tree = rootTree(folder);
  if ((await tree.resolve("/etc")) === undefined)
    throw new Failure("invalid", `${folder} holds no root filesystem: it has no /etc`);
  const initSystem = chooseInitSystem({
    init: await tree.resolve("/sbin/init"),
    hasSystemd: (await tree.resolve("/usr/lib/systemd/systemd")) !== undefined,
    hasInittab: (await tree.resolve("/etc/inittab")) !== undefined,
  });
  await tree.placeFile(agentPath, agentFile, 0o755);
  await startAtBoot(tree, initSystem);
  const fstab = (await tree.readText("/etc/fstab")) ?? "";
  const clean = renderCleanFstab(fstab);
  if (clean !== fstab) await tree.placeText("/etc/fstab", clean, 0o644);
  return initSystem;
}

async function startAtBoot(tree: RootTree, initSystem: InitSystem): Promise<void> {
  if (initSystem === "systemd") {
    await tree.placeText(`/etc/systemd/system/${agentUnitName}`, renderAgentUnit(agentPath), 0o644);
    // systemctl enable does no more than this.
    await tree.placeLink(
      `/etc/systemd/system/multi-user.target.wants/${agentUnitName}`,
      `/etc/systemd/system/${agentUnitName}`,
    );
    return;
  }
  const inittab = (await tree.readText("/etc/inittab")) ?? "";
  const added = addAgentToInittab(inittab, initSystem === "busybox" ? "" : "plt", agentPath);
  if (added !== inittab) await tree.placeText("/etc/inittab", added, 0o644);
}
