import type { BootTreeManifest } from "../boot-tree/plan-boot-tree.ts";
import type { RootId } from "../roots/root-id.ts";
import { bootPathOf } from "../roots/root-paths.ts";
import type { BootProfile } from "./plan-boot.ts";

/** Where "controller boot-tree build" puts the agent's kernel and the initrd that belongs to it. */
export const builtKernel = "agent/vmlinuz";
export const builtInitrd = "agent/initrd.img";

/** The same of the kernel for boards that the other does not know. */
export const backportsKernel = "agent/backports/vmlinuz";
export const backportsInitrd = "agent/backports/initrd.img";

/** The value of bootProfile.agent.initrd that means: none. */
export const noInitrd = "none";

/** The operator's settings for the agent's boot; absent ones follow from the boot tree. */
export interface AgentBootSettings {
  readonly kernel?: string;
  /** `noInitrd` for none. */
  readonly initrd?: string;
  readonly append: readonly string[];
}

/** The version of the root filesystem that this machine exports for new boots. */
export interface ServedRoot {
  readonly id: RootId;
  /** Absolute path of it, as nodes mount it. */
  readonly nfsPath: string;
  /** Whether it has a second kernel, for boards that the first does not know. */
  readonly hasBackports: boolean;
}

/**
 * Decides which kernel, initrd and root filesystem a node boots into the agent with. All three are of one version: modules
 * are for one kernel. A Raspberry Pi 5 gets the newer kernel where the version has one.
 *
 * Where this machine exports no version, or the operator names a kernel, kernel and initrd come both from the operator, or
 * both from the last build of the boot tree: so that build's initrd goes with that build's kernel only, and not with one
 * that someone else put into its place (the manifest does not name that).
 *
 * @param built the boot tree's manifest as it is now; undefined when nothing was built there
 * @param root the version that new boots get as it is now; undefined where there is none
 */
export function chooseAgentBoot(
  settings: AgentBootSettings,
  built: Pick<BootTreeManifest, "files"> | undefined,
  root?: ServedRoot,
): BootProfile["agent"] {
  const { append } = settings;
  if (root === undefined) return chooseFromTree(settings, built);
  const { id, nfsPath, hasBackports } = root;
  if (settings.kernel !== undefined || settings.initrd !== undefined)
    return { ...chooseFromTree(settings, built), root: { id, nfsPath } };
  const pair = (folder: string) => ({
    kernel: bootPathOf(id, `${folder}vmlinuz`),
    initrd: bootPathOf(id, `${folder}initrd.img`),
  });
  return { ...pair(""), ...(hasBackports && { pi5: pair("backports/") }), root: { id, nfsPath }, append };
}

function chooseFromTree(
  { kernel = builtKernel, initrd, append }: AgentBootSettings,
  built: Pick<BootTreeManifest, "files"> | undefined,
): BootProfile["agent"] {
  const isBuilt = (path: string): boolean => built !== undefined && Object.hasOwn(built.files, path);
  const fitting = kernel === builtKernel && isBuilt(builtKernel) && isBuilt(builtInitrd) ? builtInitrd : noInitrd;
  const chosen = initrd ?? fitting;
  // An operator who names a kernel means every board.
  const isOurs = kernel === builtKernel && initrd === undefined;
  const pi5 = isOurs && isBuilt(backportsKernel) && isBuilt(backportsInitrd);
  return {
    kernel,
    ...(chosen !== noInitrd && { initrd: chosen }),
    ...(pi5 && { pi5: { kernel: backportsKernel, initrd: backportsInitrd } }),
    append,
  };
}
