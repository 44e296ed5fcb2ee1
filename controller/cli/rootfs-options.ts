import process from "node:process";
import { chooseRootfsPaths, type RootfsPaths } from "../rootfs/choose-paths.ts";

/** Help of `--agent`. */
export const agentHelp = "the agent's program for arm64 (default: agent-linux-arm64 beside this program, or in dist/)";

/** Where the agent, the cache and the output are for this process. */
export function rootfsPaths(): RootfsPaths {
  return chooseRootfsPaths(process.argv[1], process.execPath);
}
