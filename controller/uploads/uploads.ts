import { limits } from "../../proto/limits.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { Caller } from "../callers/caller.ts";
import { invalid } from "../refusal/refusal.ts";
import type { ReceivedPieces } from "./receive-pieces.ts";
import { isUploadToken } from "./upload-socket.ts";

/** Who may come through a unix socket. */
type SocketUser = Extract<Caller, { kind: "socket-user" }>;

/** The bytes that a connection of the upload socket brings to a call. */
export type Upload = Pick<ReceivedPieces, "pieces" | "release" | "file" | "close">;

/** The connections that bring files, and the calls that they are for. */
export interface Uploads {
  /**
   * Takes in what a connection brings; it is closed where there are too many, and when no call asks for it in time.
   */
  admit(received: ReceivedPieces, user: SocketUser): void;
  /**
   * The connection that begins with this token. Waits for it; throws Failure `invalid` when it does not come, when it is
   * another user's, and for a token that is none; the signal's reason. Whoever claims it closes it.
   */
  claim(token: string, caller: Caller, signal: AbortSignal): Promise<Upload>;
  /** Closes what nobody has claimed. */
  close(): void;
}

/** A connection that no call has asked for. */
interface Unclaimed {
  readonly user: SocketUser;
  readonly received: ReceivedPieces;
  /** Its time is up. */
  readonly stopTimer: () => void;
}

const mostUnclaimed = limits.uploads.unclaimed.most;
const claimMs = limits.uploads.claimMs.most;

export function createUploads(clock: Pick<Clock, "setTimeout">): Uploads {
  const unclaimed = new Set<Unclaimed>();
  const byToken = new Map<string, Unclaimed>();
  /** Calls that wait for the connection with a token. */
  const calls = new Map<string, () => void>();

  const forget = (token: string | undefined, connection: Unclaimed): void => {
    connection.stopTimer();
    unclaimed.delete(connection);
    if (token !== undefined && byToken.get(token) === connection) byToken.delete(token);
  };

  return {
    admit(received, user) {
      if (unclaimed.size >= mostUnclaimed) {
        received.close();
        return;
      }
      let token: string | undefined;
      const drop = (): void => {
        forget(token, connection);
        received.close();
      };
      const connection: Unclaimed = { user, received, stopTimer: clock.setTimeout(drop, claimMs) };
      unclaimed.add(connection);
      received.token.then((brought) => {
        token = brought;
        // The first has it: nobody else knows the token.
        if (byToken.has(token)) return drop();
        byToken.set(token, connection);
        calls.get(token)?.();
      }, drop);
    },

    async claim(token, caller, signal) {
      if (!isUploadToken(token)) throw invalid("the token of an upload must be 32 lower-case hexadecimal digits");
      if (calls.has(token)) throw invalid("another call waits for this upload already");
      if (!byToken.has(token)) {
        const came = Promise.withResolvers<void>();
        const stop = clock.setTimeout(came.resolve, claimMs);
        signal.addEventListener("abort", () => came.resolve(), { once: true });
        calls.set(token, came.resolve);
        await came.promise;
        stop();
        calls.delete(token);
        signal.throwIfAborted();
      }
      const connection = byToken.get(token);
      if (connection === undefined)
        throw invalid("no connection to the upload socket has brought the token of this upload: run the command again");
      if (caller.kind !== "socket-user" || caller.uid !== connection.user.uid)
        throw invalid("the upload that this call names is another user's");
      forget(token, connection);
      return connection.received;
    },

    close() {
      for (const { stopTimer, received } of unclaimed) {
        stopTimer();
        received.close();
      }
      unclaimed.clear();
      byToken.clear();
    },
  };
}
