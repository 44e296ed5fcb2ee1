import { setTimeout as delay } from "node:timers/promises";
import { Failure, messageOf } from "../../proto/failure.ts";
import { type BackoffPolicy, backoff } from "../../proto/time/backoff.ts";
import { checkPartialResponse, ifRange, TemporaryError, type Validators } from "./check-partial-response.ts";
import { type FetchTls, type HttpConnection, openHttpConnection } from "./http-connection.ts";

/** Timeouts and retries of a fetch. */
export interface FetchSettings {
  /** How long a connection may be silent while a byte is awaited before it counts as broken, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** How long no byte may arrive, over any number of connections, before the fetch fails, in milliseconds. */
  readonly giveUpAfterMs: number;
  /** Waits between connections that brought nothing. */
  readonly backoff: BackoffPolicy;
  /** The host where the server says that it lives now; undefined, or absent, while it has not moved. */
  readonly movedTo?: () => string | undefined;
  /** How to connect to "https" URLs, as it is now; undefined, or absent, while there is no way. */
  readonly tls?: () => FetchTls | undefined;
  /** Whether "http" URLs are fetched too: what they bring is nobody's word. */
  readonly takesPlain: boolean;
}

/**
 * Long enough for a restart of a switch or of the controller's machine. Shorter than the controller's stall timeout of
 * a write (reimage.stallTimeoutMs, 300 s), so that a running controller hears what is wrong.
 */
export const defaultFetchSettings: Omit<FetchSettings, "tls" | "takesPlain"> = {
  idleTimeoutMs: 15_000,
  giveUpAfterMs: 240_000,
  backoff: { firstMs: 100, capMs: 5_000, random: Math.random },
};

/** A file on a server. */
export interface RemoteFile {
  /** "https://…" URL, or "http://…" where those are taken. */
  readonly url: string;
  /** Its expected number of bytes. */
  readonly totalBytes: number;
  readonly settings: FetchSettings;
  /** Called with the length of each piece received. */
  readonly onBytes?: (bytes: number) => void;
  /** Called whenever a broken connection was resumed, with the byte offset and the cause. */
  readonly onResume?: (atByte: number, error: unknown) => void;
}

/** Fetches ranges of one file over connections that are kept open in between. */
export interface RangeFetcher {
  /**
   * Fills the target with the bytes of the file from `fromByte` on, over HTTP/1.1 with Range requests. A connection
   * that breaks or stalls is resumed at the very byte. No byte is asked for that there is no room for.
   *
   * Rejects with a Failure "fetch-failed" when the server does not do what it must, or gave no byte for too long;
   * "image-damaged" when what it has is not, or is no longer, the file that is wanted; and the signal's reason.
   */
  fetchInto(target: Uint8Array, fromByte: number, signal: AbortSignal): Promise<void>;
  /** Closes the connections. */
  close(): void;
}

/** A fetcher that opens one connection per concurrent range. */
export function createRangeFetcher(file: RemoteFile): RangeFetcher {
  const { url, totalBytes, settings, onBytes, onResume } = file;
  const connections = new Set<HttpConnection>();
  const idle: HttpConnection[] = [];
  let validators: Validators | undefined;
  /** When a byte last arrived, or when the current wait began. */
  let lastByteAt = 0;
  let asking = 0;
  /** Connections that ended without an answer. */
  let failures = 0;

  /** Where to connect to: where the server has moved to, and in turn where it was, as long as neither answers. */
  const placeNow = (): URL => {
    const place = new URL(url);
    const host = settings.movedTo?.();
    if (host !== undefined && failures % 2 === 0) place.hostname = host.includes(":") ? `[${host}]` : host;
    return place;
  };

  const connect = (): HttpConnection => {
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
      if (connection.usable) return connection;
      connections.delete(connection);
    }
    const connection = openHttpConnection(placeNow(), settings.idleTimeoutMs, tlsFor(url, settings));
    connections.add(connection);
    return connection;
  };

  /** One request. Resolves when an answer has come to its end, which may be before the end of the range. */
  const ask = async (
    connection: HttpConnection,
    target: Uint8Array,
    fromByte: number,
    on: { readonly head: () => void; readonly bytes: (length: number) => void },
  ): Promise<void> => {
    const condition = validators && ifRange(validators);
    const headers = {
      range: `bytes=${fromByte}-${fromByte + target.length - 1}`,
      "accept-encoding": "identity",
      ...(condition !== undefined && { "if-range": condition }),
    };
    let filled = 0;
    await connection.get(headers, {
      onHead(head) {
        on.head();
        const found = checkPartialResponse(head, { url, fromByte, lengthBytes: target.length, totalBytes, validators });
        validators ??= found;
      },
      onBody(bytes) {
        if (filled + bytes.length > target.length) {
          throw new Failure("fetch-failed", `the server of ${url} sent more bytes than requested`);
        }
        target.set(bytes, filled);
        filled += bytes.length;
        lastByteAt = performance.now();
        on.bytes(bytes.length);
      },
    });
    if (filled === 0) throw new TemporaryError("the answer was empty");
  };

  const fill = async (target: Uint8Array, fromByte: number, signal: AbortSignal): Promise<void> => {
    let waits = backoff(settings.backoff);
    let filled = 0;
    let broken: unknown;
    while (filled < target.length) {
      signal.throwIfAborted();
      const connection = connect();
      const kept = connection.used;
      let answered = false;
      const abort = (): void => connection.close(new Error("aborted"));
      signal.addEventListener("abort", abort, { once: true });
      try {
        await ask(connection, target.subarray(filled), fromByte + filled, {
          head: () => {
            answered = true;
          },
          bytes(length) {
            if (broken !== undefined) onResume?.(fromByte + filled, broken);
            broken = undefined;
            waits = backoff(settings.backoff);
            filled += length;
            onBytes?.(length);
          },
        });
        idle.push(connection);
      } catch (error) {
        connection.close(new Error("no longer needed"));
        connections.delete(connection);
        signal.throwIfAborted();
        if (error instanceof Failure) throw error;
        // A server may close a connection that was kept open just when it is used again (RFC 9112 section 9.3.1).
        if (kept && !answered) continue;
        broken = error;
        failures += 1;
        const waitedMs = performance.now() - lastByteAt;
        if (waitedMs >= settings.giveUpAfterMs) {
          throw new Failure(
            "fetch-failed",
            `received nothing of ${url} for ${Math.round(waitedMs / 1_000)} s, at byte ${fromByte + filled} of ${totalBytes}: ` +
              `${messageOf(error)}; is the controller running and the network up?`,
            { cause: error },
          );
        }
        await delay(waits.next().value, undefined, { signal }).catch(() => signal.throwIfAborted());
      } finally {
        signal.removeEventListener("abort", abort);
      }
    }
  };

  return {
    async fetchInto(target, fromByte, signal) {
      if (asking === 0) lastByteAt = performance.now();
      asking += 1;
      try {
        await fill(target, fromByte, signal);
      } finally {
        asking -= 1;
      }
    },
    close() {
      for (const connection of connections) connection.close(new Error("closed"));
    },
  };
}

/** How to connect to a URL. Throws a Failure "fetch-failed" for one that must not be, or cannot be, fetched. */
function tlsFor(url: string, { tls, takesPlain }: FetchSettings): FetchTls | undefined {
  const { protocol } = new URL(url);
  if (protocol === "http:" && takesPlain) return undefined;
  if (protocol === "http:")
    throw new Failure(
      "fetch-failed",
      `${url} is plain HTTP, and this agent fetches images by TLS only (--insecure, pallet.insecure); is its controller older, or insecure?`,
    );
  const how = protocol === "https:" ? tls?.() : undefined;
  if (how !== undefined) return how;
  throw new Failure("fetch-failed", `${url} cannot be fetched: this agent has no certificate to show there`);
}
