import type { BootTreeManifest } from "../boot-tree/plan-boot-tree.ts";
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

/**
 * Decides which kernel and initrd a node boots into the agent with. Both come from the operator, or both from
 * the last build: the modules of an initrd are for one kernel. So a build's initrd goes with that build's kernel
 * only, and not with one that someone else put into its place (the manifest does not name that). A Raspberry Pi 5 gets
 * the newer kernel where one was built.
 *
 * @param built the boot tree's manifest as it is now; undefined when nothing was built there
 */
export function chooseAgentBoot(
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
