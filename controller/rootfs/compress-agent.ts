import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { cacheEntry, isCached } from "../artefacts/cache-entry.ts";
import { compressAgentDigest } from "./source-files.ts";

/** A program, and where what was made of it is kept. */
export interface AgentToCompress {
  readonly agentFile: string;
  /** SHA-256 of it. */
  readonly digest: string;
  readonly cacheDirectory: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A squashfs (Documentation/filesystems/squashfs.rst) with the agent in it, as `pallet-agent`: nodes read a third of
 * the bytes over the network.
 *
 * @returns path of the squashfs in the cache
 */
export async function compressAgent(agent: AgentToCompress): Promise<string> {
  const { agentFile, digest, cacheDirectory, log, signal } = agent;
  const folder = await cacheEntry(cacheDirectory, entryName(digest), async (building) => {
    log("compressing the agent (once, about 10 s)");
    const source = join(building, "source");
    await mkdir(source);
    await copyFile(agentFile, join(source, "pallet-agent"));
    // By its content alone it is known here, whatever its mode where it came from.
    for (const path of [source, join(source, "pallet-agent")]) await chmod(path, 0o755);
    // Blocks of 128 KiB: larger ones pack little better, and each page that the kernel wants costs a whole one.
    const compression = ["-comp", "zstd", "-Xcompression-level", "15", "-b", "128K"];
    const reproducible = ["-all-root", "-all-time", "0", "-mkfs-time", "0", "-no-xattrs", "-no-exports"];
    const args = [source, join(building, "agent.squashfs"), ...compression, ...reproducible, "-no-progress", "-quiet"];
    await execa("mksquashfs", args, signal === undefined ? {} : { cancelSignal: signal });
    await rm(source, { recursive: true });
  });
  return join(folder, "agent.squashfs");
}

/** Whether that was made of the agent with this SHA-256 before. */
export function isAgentCompressed(cacheDirectory: string, digest: string): Promise<boolean> {
  return isCached(cacheDirectory, entryName(digest));
}

function entryName(digest: string): string {
  const key = createHash("sha256")
    .update(JSON.stringify([digest, compressAgentDigest]))
    .digest("hex");
  return `agent-${key.slice(0, 32)}`;
}
