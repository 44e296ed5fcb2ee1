import type { NodeId } from "../../proto/names/node-id.ts";

/** One request for a boot file, after it ended. */
export interface BootFetch {
  /** IP address that asked. */
  readonly address: string;
  /** The node, where the path itself names it: the config by MAC address. */
  readonly mac?: NodeId;
  /** As requested, so it may contain anything. */
  readonly path: string;
  /** Exactly as the client spelled it, where `path` is the file that it stands for; the same when absent. */
  readonly requestedPath?: string;
  /** Absent in tests that do not care. */
  readonly protocol?: "tftp" | "http";
  /** From the request to its end, in milliseconds. */
  readonly durationMs?: number;
  readonly outcome: "served" | "not-found" | "refused" | "aborted";
  readonly bytes: number;
  /**
   * Since the client was last heard, in milliseconds; 0 when absent. The server gives up on a client that continued
   * without acknowledging the last block, or vanished, almost a minute later: by then its fetch says nothing about where it is.
   */
  readonly silentMs?: number;
}

/** A path from the network, fit for a log line and a terminal: control characters replaced, cut at 200 characters. */
export function printablePath(path: string): string {
  const clean = path.replaceAll(/[^\x20-\x7e]/g, "?");
  return clean.length <= 200 ? clean : `${clean.slice(0, 199)}…`;
}
