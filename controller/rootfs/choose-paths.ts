import { posix } from "node:path";

/** Where things are looked for and put unless the operator says otherwise. */
export interface RootfsPaths {
  readonly agentFile: string;
  readonly cacheDirectory: string;
  readonly outDirectory: string;
}

/**
 * In a checkout the agent is what `npm run build:binaries` made, and the cache is the checkout's own; the single-file
 * program has its agent beside it, and caches under Pallet's state.
 *
 * @param script the file that Node runs (process.argv[1])
 * @param executable the program itself (process.execPath)
 */
export function chooseRootfsPaths(script: string | undefined, executable: string): RootfsPaths {
  const checkout = /^(.*)\/controller\/main\.ts$/.exec(script ?? "")?.[1];
  const outDirectory = "/var/lib/pallet/rootfs";
  return checkout === undefined
    ? {
        agentFile: posix.join(posix.dirname(executable), "agent-linux-arm64"),
        cacheDirectory: "/var/lib/pallet/cache/rootfs",
        outDirectory,
      }
    : {
        agentFile: posix.join(checkout, "dist/agent-linux-arm64"),
        cacheDirectory: posix.join(checkout, ".cache/rootfs"),
        outDirectory,
      };
}
