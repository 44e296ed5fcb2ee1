import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { NewEvent } from "../events/event.ts";
import type { Node } from "./node.ts";
import type { NodeTrouble } from "./node-trouble.ts";
import { createReportLimit } from "./report-limit.ts";
import { type RefusedRegistration, selectRefusedNodes } from "./select-refused-nodes.ts";

/** Registrations that were refused, by the nodes that they are about, until these register. In memory: agents try again. */
export interface Refusals {
  /**
   * Records a refusal, with one event when it begins and one when its reason changes.
   *
   * @param byAddress the node that used the IP address lately
   */
  note(refused: RefusedRegistration, nodes: readonly Node[], byAddress: NodeId | undefined): void;
  of(id: NodeId): NodeTrouble | undefined;
  /** The node has registered, or is forgotten. */
  end(id: NodeId): void;
  /**
   * The agent that has registered is heard: then it was another that was refused under its name, and once that has
   * stopped it is no trouble of the node's any more.
   */
  heard(id: NodeId): void;
}

/** How long the next reason of the same node is no news, in milliseconds. */
const sameNodeMs = 10 * 60_000;

export function createRefusals(options: {
  readonly append: (event: NewEvent) => unknown;
  readonly clock: Pick<Clock, "now">;
  /** By it is known how long ago something was. */
  readonly monotonic: Pick<Clock, "now">;
}): Refusals {
  const { append, clock, monotonic } = options;
  /** With the moments of the last news, and of the last refusal. */
  const refusals = new Map<
    NodeId,
    { readonly trouble: NodeTrouble; readonly toldAt: number; readonly notedAt: number }
  >();
  const strangers = createReportLimit();
  const type = "registration-refused";

  function noteOf({ id, name }: Node, from: string, why: string): void {
    const [at, notedAt] = [clock.now(), monotonic.now()];
    const before = refusals.get(id);
    const message = `registration${from} refused: ${why}`;
    const isNews =
      before === undefined || (before.trouble.message !== message && notedAt - before.toldAt >= sameNodeMs);
    const count = (before?.trouble.count ?? 0) + 1;
    refusals.set(id, {
      trouble: { kind: type, message, since: before?.trouble.since ?? at, lastAt: at, count },
      toldAt: isNews ? notedAt : before.toldAt,
      notedAt,
    });
    if (isNews) append({ type, severity: "warning", nodeId: id, nodeName: name, message: `${name}: ${message}` });
  }

  return {
    note(refused, nodes, byAddress) {
      const from = refused.address === undefined ? "" : ` from ${refused.address}`;
      const about = selectRefusedNodes(nodes, refused, byAddress);
      for (const node of about) noteOf(node, from, refused.message);
      if (about.length > 0) return;
      if (!strangers.admits(refused.address ?? "", refused.message, monotonic.now())) return;
      const who = refused.id === undefined ? "" : ` as ${refused.id}`;
      const message = `the registration of no known node${who}${from} was refused: ${refused.message}`;
      append({ type, severity: "warning", message });
    },
    of: (id) => refusals.get(id)?.trouble,
    end(id) {
      refusals.delete(id);
    },
    heard(id) {
      const last = refusals.get(id);
      if (last !== undefined && monotonic.now() - last.notedAt >= sameNodeMs) refusals.delete(id);
    },
  };
}
