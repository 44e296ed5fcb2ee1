import type { Option } from "./packet.ts";

/** What a transfer runs with after the negotiation. */
export interface TransferParameters {
  /** Bytes of a full block (RFC 2348); 512 unless the client asked otherwise. */
  readonly blockSize: number;
  /** Blocks sent for one acknowledgement (RFC 7440); 1 unless the client asked otherwise. */
  readonly windowSize: number;
  /** The client's own retransmission interval in milliseconds (RFC 2349), if it named one. */
  readonly timeoutMs?: number;
}

/** How much a server grants of what clients ask for. */
export interface NegotiationLimits {
  /** Largest block in bytes that is granted: 8 to 65464. */
  readonly maxBlockSize: number;
  /** Largest window in blocks that is granted: 1 to 65535. */
  readonly maxWindowSize: number;
}

/** The parameters, and the options to acknowledge in the order of the request; none means no OACK (RFC 2347). */
export interface Negotiation {
  readonly parameters: TransferParameters;
  readonly acknowledged: readonly Option[];
}

/**
 * Decides which options of a read request are granted. As RFC 2347 wants it, an option that is unknown, malformed, out
 * of its range or repeated is left out of the answer, and the transfer continues without it.
 */
export function negotiateOptions(
  options: readonly Option[],
  sizeBytes: number,
  { maxBlockSize, maxWindowSize }: NegotiationLimits,
): Negotiation {
  let parameters: TransferParameters = { blockSize: 512, windowSize: 1 };
  const acknowledged = new Map<string, string>();
  for (const [name, text] of options) {
    const value = parseDecimal(text);
    if (value === undefined || acknowledged.has(name)) continue;
    switch (name) {
      case "blksize": {
        if (value < 8 || value > 65464) break;
        const blockSize = Math.min(value, maxBlockSize);
        parameters = { ...parameters, blockSize };
        acknowledged.set(name, String(blockSize));
        break;
      }
      case "windowsize": {
        if (value < 1 || value > 65535) break;
        const windowSize = Math.min(value, maxWindowSize);
        parameters = { ...parameters, windowSize };
        acknowledged.set(name, String(windowSize));
        break;
      }
      case "timeout":
        if (value < 1 || value > 255) break;
        parameters = { ...parameters, timeoutMs: value * 1000 };
        acknowledged.set(name, String(value));
        break;
      case "tsize":
        // curl treats a size of 0 as an error, and no client needs to know that nothing follows.
        if (sizeBytes > 0) acknowledged.set(name, String(sizeBytes));
        break;
    }
  }
  return { parameters, acknowledged: [...acknowledged] };
}

function parseDecimal(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
