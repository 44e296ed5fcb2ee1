import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { NewEvent } from "../events/event.ts";
import { describeBoots, describeRecovery, remedyOfBoots } from "./describe-boots.ts";
import { type BootNews, type BootRun, judgeBoot, mostPatienceMs } from "./judge-boots.ts";
import type { Node } from "./node.ts";
import type { NodeTable } from "./node-table.ts";

/** Counts the boots of each node of which nothing is heard, and tells when that becomes a trouble, and when it ends. */
export interface BootRuns {
  note(id: NodeId, news: BootNews): void;
  /** The node got a config that tells it to load this. */
  begun(id: NodeId, label: "agent" | "local"): void;
  /** Has to be called now and then: that nothing happens is news, too. */
  waited(): void;
}

export function createBootRuns(options: {
  readonly nodes: Pick<NodeTable, "get" | "all" | "saveLater">;
  readonly append: (event: NewEvent) => unknown;
  readonly clock: Pick<Clock, "now">;
  /** How long this controller has listened is measured by it. */
  readonly monotonic: Pick<Clock, "now">;
  /** Called at each boot from the card of a node that restarts again and again. */
  readonly onLoop: (id: NodeId) => void;
}): BootRuns {
  const { nodes, append, clock, monotonic, onLoop } = options;
  const startedAt = monotonic.now();

  function note(id: NodeId, news: BootNews): void {
    // First: a clock that was set moves what is known of the node.
    const at = clock.now();
    const node = nodes.get(id);
    if (node === undefined || (node.boots === undefined && news.kind !== "begun")) return;
    const { run, told } = judgeBoot(node.boots, news, at);
    if (run !== node.boots) {
      const { boots: _, ...rest } = node;
      nodes.saveLater({ ...rest, ...(run !== undefined && { boots: run }) });
    }
    if (told === "began" && run !== undefined) tellBegin(node, run, at);
    if (news.kind === "begun" && news.label === "local" && run?.trouble === "boot-loop") onLoop(id);
    if (told === "ended" && node.boots !== undefined) {
      const message = describeRecovery(node.name, node.boots, at);
      append({ type: "boot-trouble-ended", severity: "info", nodeId: id, nodeName: node.name, message });
    }
  }

  function tellBegin({ id, name }: Node, run: BootRun, at: number): void {
    const message = `${name}: ${describeBoots(run, at)?.message ?? ""}; ${remedyOfBoots(run, name)}`;
    append({ type: "boot-trouble-began", severity: "warning", nodeId: id, nodeName: name, message });
  }

  return {
    note,
    begun(id, label) {
      const node = nodes.get(id);
      if (node !== undefined) note(id, { kind: "begun", label, expected: label === "agent" || isHeard(node) });
    },
    waited() {
      // Who came up while this controller did not run has his time to say so.
      if (monotonic.now() - startedAt < mostPatienceMs) return;
      for (const { id } of nodes.all()) note(id, { kind: "waited" });
    },
  };
}

/** Whether the system on its card has a resident agent. */
function isHeard({ bootTarget, installation }: Pick<Node, "bootTarget" | "installation">): boolean {
  return (
    bootTarget.kind === "local" &&
    installation?.resident === true &&
    installation.imageDigest === bootTarget.imageDigest
  );
}
