import { homedir } from "node:os";
import process from "node:process";
import { chooseRootfsPaths, type RootfsPaths } from "../../rootfs/choose-paths.ts";

/** Help of `--agent`. */
export const agentHelp = "the agent binary for arm64 (default: agent-linux-arm64 next to this program, or in dist/)";

/** Where this process finds the agent and the cache, and writes its output. */
export function rootfsPaths(): RootfsPaths {
  const { argv, execPath: executable, env: environment } = process;
  return chooseRootfsPaths({ script: argv[1], executable, environment, home: homedir() });
}
