import { posix } from "node:path";
import { chooseCache } from "../artefacts/choose-cache.ts";

/** The default locations of inputs and outputs. */
export interface RootfsPaths {
  readonly agentFile: string;
  readonly cacheDirectory: string;
  readonly outDirectory: string;
}

/** The facts about a process that determine the default locations. */
export interface RunningProgram {
  /** The file that Node runs (process.argv[1]). */
  readonly script: string | undefined;
  /** The program itself (process.execPath). */
  readonly executable: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
}

/**
 * In a checkout the agent is what `npm run build:binaries` made; the single-file program has its agent beside it. The
 * cache is as chooseCache says.
 */
export function chooseRootfsPaths({ script, executable, environment, home }: RunningProgram): RootfsPaths {
  const checkout = /^(.*)\/controller\/main\.ts$/.exec(script ?? "")?.[1];
  const cache = chooseCache({ environment, home, installed: checkout === undefined });
  return {
    agentFile:
      checkout === undefined
        ? posix.join(posix.dirname(executable), "agent-linux-arm64")
        : posix.join(checkout, "dist/agent-linux-arm64"),
    cacheDirectory: posix.join(cache, "rootfs"),
    outDirectory: "/var/lib/pallet/rootfs",
  };
}
