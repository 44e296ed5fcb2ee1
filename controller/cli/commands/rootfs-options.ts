import { homedir } from "node:os";
import process from "node:process";
import { chooseRootfsPaths, type RootfsPaths } from "../../rootfs/choose-paths.ts";

/** Help of `--agent`. */
export const agentHelp = "the agent's program for arm64 (default: agent-linux-arm64 beside this program, or in dist/)";

/** Where the agent, the cache and the output are for this process. */
export function rootfsPaths(): RootfsPaths {
  const { argv, execPath: executable, env: environment } = process;
  return chooseRootfsPaths({ script: argv[1], executable, environment, home: homedir() });
}
