import { selectUnserved, type UnservedBoards } from "../boot-tree/board-files.ts";
import type { Config } from "../config/config.ts";
import { insecureDoors } from "../config/insecure.ts";
import type { Facts } from "./facts.ts";
import { gatherFacts } from "./gather-facts.ts";
import type { Problem } from "./problem.ts";
import { selectProblems } from "./select-problems.ts";

/** What `controller serve --check` reports. */
export interface CheckReport {
  readonly problems: readonly Problem[];
  /** What does not keep nodes from booting but should be fixed. */
  readonly warnings: readonly string[];
  /** Boards that would not boot into the agent, though others do. */
  readonly unserved: readonly UnservedBoards[];
  /** What nodes would boot, as far as it exists. */
  readonly kernel: Facts["kernel"];
  readonly initrd?: NonNullable<Facts["initrd"]>;
  readonly pi5?: NonNullable<Facts["pi5"]>;
  readonly rootfs?: NonNullable<Facts["rootfs"]>;
}

/**
 * Looks at this machine for everything that would keep a node from booting.
 *
 * @param contract the one that this controller implements
 */
export async function checkServing(config: Config, contract: string): Promise<CheckReport> {
  const facts = await gatherFacts(config, contract);
  const { kernel, initrd, pi5, rootfs } = facts;
  return {
    problems: selectProblems(config, facts),
    warnings: insecureDoors(config, config.grpcPort),
    unserved: selectUnserved((path) => facts.bootTree.sizes.has(path)),
    kernel,
    ...(initrd !== undefined && { initrd }),
    ...(pi5 !== undefined && { pi5 }),
    ...(rootfs !== undefined && { rootfs }),
  };
}
