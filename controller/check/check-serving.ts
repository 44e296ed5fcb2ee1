import type { Config } from "../config/config.ts";
import { insecureDoors } from "../config/insecure-tcp.ts";
import type { Facts } from "./facts.ts";
import { gatherFacts } from "./gather-facts.ts";
import type { Problem } from "./problem.ts";
import { selectProblems } from "./select-problems.ts";

/** What `controller serve --check` tells. */
export interface CheckReport {
  readonly problems: readonly Problem[];
  /** What keeps no node from booting and should not stay so. */
  readonly warnings: readonly string[];
  /** What nodes would boot, as far as it is there. */
  readonly kernel: Facts["kernel"];
  readonly initrd?: NonNullable<Facts["initrd"]>;
  readonly rootfs?: NonNullable<Facts["rootfs"]>;
}

/** Looks at this machine for everything that would keep a node from booting. @param contract the one that this controller speaks */
export async function checkServing(config: Config, contract: string): Promise<CheckReport> {
  const facts = await gatherFacts(config, contract);
  const { kernel, initrd, rootfs } = facts;
  return {
    problems: selectProblems(config, facts),
    warnings: insecureDoors(config, config.grpcPort),
    kernel,
    ...(initrd !== undefined && { initrd }),
    ...(rootfs !== undefined && { rootfs }),
  };
}
