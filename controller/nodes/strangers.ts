import { limits } from "../../proto/limits.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { NewEvent } from "../events/event.ts";
import { createRateLimit } from "../records/rate-limit.ts";
import { Refusal } from "../refusal/refusal.ts";
import { chooseExpiredNodes, chooseForDiscovery, chooseForRegistration } from "./choose-expired-nodes.ts";
import type { Node } from "./node.ts";

/** Which boards that nobody knows are recorded, and whose records go: anybody on the network can invent any number. */
export interface Strangers {
  /** Whether a board that asks for its boot config is to be recorded; makes room for it. */
  admitsDiscovery(id: NodeId, address: string | undefined): boolean;
  /**
   * Makes room for a board whose agent registers. Throws a Refusal (exhausted) when there are too many from its address,
   * or too many in all that are somebody's.
   */
  assertRegistration(id: NodeId, address: string | undefined): void;
  /** Has to be called now and then, at least every `steadyMs`. */
  waited(): void;
}

const perSecond = 4;
const mostNodes = limits.nodes.known.most;
/** By UDP anybody can ask from any address: what all together may do bounds them, and hurts nobody who registers. */
const discoveries = {
  perAddress: { burst: limits.nodes.discoveriesPerAddress.most, perSecond },
  inAll: { burst: limits.nodes.discoveries.most, perSecond },
};
/** By TCP an address is whose it is. Without a limit for all, nobody can keep another from registering. */
const registrations = { perAddress: { burst: limits.nodes.registrationsPerAddress.most, perSecond } };
/** How often at most what was forgotten or not recorded is told, in milliseconds. */
const tellEveryMs = 60_000;
/** Between two looks at the clock no more time passes than this, in milliseconds, unless somebody has set it. */
const steadyMs = 5 * 60_000;
/** How long after it was set, or this program was started, nobody expires: whoever is there is seen meanwhile. */
const settlesMs = 60 * 60_000;

export function createStrangers(options: {
  readonly nodes: { all(): Node[]; readonly size: number };
  readonly isOnline: (node: Node) => boolean;
  /** Forgets the node, without an event of its own. Returns whether it could: the disk may not take it. */
  readonly forget: (node: Node) => boolean;
  readonly append: (event: NewEvent) => unknown;
  readonly clock: Pick<Clock, "now">;
  /** For rates. */
  readonly monotonic: Pick<Clock, "now">;
}): Strangers {
  const { nodes, isOnline, forget, append, clock, monotonic } = options;
  const discovery = createRateLimit(discoveries);
  const registration = createRateLimit(registrations);
  let steadySince = clock.now();
  let lookedAt = steadySince;
  let toldAt: number | undefined;
  let expired = 0;
  let madeRoom = 0;
  let refused = 0;
  let lastRefused = "";

  function makesRoom(node: Node | undefined): boolean {
    if (node === undefined || !forget(node)) return false;
    madeRoom += 1;
    return true;
  }

  function tell(): void {
    if (expired + madeRoom + refused === 0) return;
    const at = monotonic.now();
    if (toldAt !== undefined && at - toldAt < tellEveryMs) return;
    toldAt = at;
    if (expired + madeRoom > 0) {
      const why = [
        ...(expired > 0 ? [`${expired} that had not been seen for a day`] : []),
        ...(madeRoom > 0 ? [`${madeRoom} to make room: ${mostNodes} nodes are known`] : []),
      ].join("; ");
      const message = `boards were forgotten that nobody had accepted, named or written to: ${why}`;
      append({ type: "strangers-forgotten", severity: madeRoom > 0 ? "warning" : "info", message });
    }
    if (refused > 0) {
      const message =
        `${refused} requests of boards that nobody knows were not recorded, there are too many; the last was ${lastRefused}; ` +
        "whoever asks gets a boot config all the same, and is recorded when its agent registers";
      append({ type: "discovery-limited", severity: "warning", message });
    }
    expired = 0;
    madeRoom = 0;
    refused = 0;
  }

  return {
    admitsDiscovery(id, address) {
      const at = clock.now();
      const isAdmitted =
        discovery.admits(address, monotonic.now()) &&
        (nodes.size < mostNodes || makesRoom(chooseForDiscovery(nodes.all(), at)));
      if (isAdmitted) return true;
      refused += 1;
      lastRefused = `${id}${address === undefined ? "" : ` from ${address}`}`;
      return false;
    },

    assertRegistration(id, address) {
      const at = clock.now();
      if (!registration.admits(address, monotonic.now())) {
        throw new Refusal(
          "exhausted",
          `cannot record ${id}: too many boards that nobody knows register from ${address ?? "the same place"}; try again`,
          { reason: "invalid" },
        );
      }
      if (nodes.size < mostNodes || makesRoom(chooseForRegistration(nodes.all(), { address, at }, isOnline))) return;
      throw new Refusal(
        "exhausted",
        `cannot record ${id}: ${mostNodes} nodes are already known; forget those that no longer exist ` +
          "(controller node forget NODE, or --unaccepted)",
        { reason: "invalid" },
      );
    },

    waited() {
      const at = clock.now();
      if (at < lookedAt || at - lookedAt > steadyMs) steadySince = at;
      lookedAt = at;
      if (at - steadySince >= settlesMs) {
        for (const node of chooseExpiredNodes(nodes.all(), at)) if (forget(node)) expired += 1;
      }
      tell();
    },
  };
}
