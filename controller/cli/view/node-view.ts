import type { LastReimage, Node } from "../../../proto/gen/pallet/v1/controller.ts";
import type * as wire from "../../../proto/gen/pallet/v1/node.ts";
import type { AgentInfo } from "../../../proto/node/agent-info.ts";
import { agentInfoFromWire, factsFromWire } from "../../../proto/node/node-codec.ts";
import type { NodeFacts, RootDevice } from "../../../proto/node/node-facts.ts";
import type { AgentRole } from "../../../proto/system/agent-program.ts";
import type { InstalledSystem } from "../../../proto/system/installed-system.ts";
import type { TasksReport } from "../../../proto/system/tasks/report-tasks.ts";
import { type BootTargetKind, bootTargets } from "../../../proto/words/boot-target.ts";
import { type NodeTroubleKind, nodeTroubleKinds } from "../../../proto/words/node-trouble-kind.ts";
import { type ReimagePhase, reimagePhases } from "../../../proto/words/reimage-phase.ts";
import { type ReimageVerdict, reimageVerdicts } from "../../../proto/words/reimage-verdict.ts";
import type { TaskState } from "../../../proto/words/task-state.ts";
import { type ConfigView, viewConfig } from "./config-view.ts";
import { type FailureView, viewWireFailure } from "./failure-view.ts";
import { type Shown, show } from "./shown.ts";
import { toText, toTime } from "./wire-values.ts";

/** What a node measured about itself, as `--json` shows it. */
export type FactsView = Shown<Omit<NodeFacts, "root">> & {
  readonly root: Shown<RootDevice, "source" | "filesystemType"> | null;
};

/** The agent on a node, as `--json` shows it. */
export interface AgentView
  extends Shown<Pick<AgentInfo, "version" | "instanceId" | "port" | "contract">, "instanceId"> {
  readonly role: AgentRole | "unknown";
  readonly installed: (Omit<InstalledSystem, "installedAt"> & { readonly installedAt: string | null }) | null;
  /** Empty for an agent that does not tell. */
  readonly capabilities: readonly string[];
  /** Whether its board booted the card by itself, without the controller's kernel words. */
  readonly bootedAlone: boolean;
  /** The first-boot tasks of its system; null where it has none. */
  readonly tasks: TasksView | null;
}

/** First-boot tasks, as `--json` shows them. */
export interface TasksView {
  /** Why nothing is known of them, or none can run. */
  readonly problem: string | null;
  readonly tasks: readonly TaskView[];
}

/** A first-boot task, as `--json` shows it. */
export interface TaskView {
  readonly name: string;
  readonly state: TaskState;
  readonly starts: number;
  /** By the node's clock. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly exitCode: number | null;
  readonly problem: string | null;
  /** Its last lines, if it has failed. */
  readonly output: string | null;
}

/** What keeps a node from being heard, as `--json` shows it. */
export interface TroubleView {
  readonly kind: NodeTroubleKind | "unknown";
  readonly message: string;
  readonly since: string | null;
  readonly lastTime: string | null;
  readonly count: number;
}

/** A node's latest reimage, as `--json` shows it. */
export interface LastReimageView {
  readonly rolloutId: string;
  readonly imageName: string;
  readonly phase: ReimagePhase | "unknown";
  readonly verdict: ReimageVerdict | null;
  readonly failure: FailureView | null;
  readonly endedAt: string | null;
}

/** A node as `--json` shows it. */
export interface NodeView {
  readonly nodeId: string;
  readonly name: string;
  readonly accepted: boolean;
  readonly online: boolean;
  readonly address: string | null;
  readonly bootTarget: BootTargetKind | "unknown";
  readonly bootImageDigest: string | null;
  readonly bootStage: { readonly path: string; readonly time: string | null; readonly missing: boolean } | null;
  readonly troubles: readonly TroubleView[];
  readonly provedImageName: string | null;
  readonly provedImageDigest: string | null;
  readonly provedWeakly: boolean;
  readonly rolloutId: string | null;
  /** Of a node that is asked for alone. */
  readonly lastReimage: LastReimageView | null;
  /** By key. */
  readonly labels: Readonly<Record<string, string>>;
  readonly lastSeenAt: string | null;
  readonly discoveredAt: string | null;
  /** Null of one that was never accepted. */
  readonly index: number | null;
  /** What its profiles made of the system on its card. */
  readonly config: ConfigView | null;
  readonly replacedBoard: { readonly serial: string; readonly name: string; readonly since: string | null } | null;
  readonly facts: FactsView | null;
  readonly agent: AgentView | null;
}

function viewFacts(facts: wire.NodeFacts): FactsView {
  // What travelled has every field, including those that are absent, in the order in which they are shown.
  const all = { ...facts, ...factsFromWire(facts) };
  return {
    ...show(all),
    root: facts.root ? show({ ...facts.root, nfsRoot: facts.root.nfsRoot ?? "" }, "source", "filesystemType") : null,
  };
}

function viewAgent(wireAgent: wire.AgentInfo): AgentView {
  const { version, role = "unknown", instanceId, port, installed, contract, tasks } = agentInfoFromWire(wireAgent);
  return {
    ...show({ version, role, instanceId, port }, "role", "instanceId"),
    installed: installed ? { ...installed, installedAt: toTime(wireAgent.installed?.installedAt) } : null,
    contract: contract ?? null,
    capabilities: wireAgent.capabilities,
    bootedAlone: wireAgent.bootedAlone,
    tasks: tasks === undefined ? null : viewTasks(tasks),
  };
}

function viewTasks({ tasks, problem }: TasksReport): TasksView {
  return {
    problem: problem ?? null,
    tasks: tasks.map(({ name, state, starts, startedAt, endedAt, ...end }) => ({
      ...{ name, state, starts, startedAt: startedAt ?? null, endedAt: endedAt ?? null },
      ...{ exitCode: end.exitCode ?? null, problem: end.problem ?? null, output: end.output ?? null },
    })),
  };
}

function viewLastReimage({ rolloutId, imageName, phase, verdict, failure, endedAt }: LastReimage): LastReimageView {
  return {
    rolloutId,
    imageName,
    phase: reimagePhases.fromWire(phase) ?? "unknown",
    verdict: reimageVerdicts.fromWire(verdict) ?? null,
    failure: viewWireFailure(failure),
    endedAt: toTime(endedAt),
  };
}

/** Converts from the wire. */
export function viewNode(node: Node): NodeView {
  return {
    nodeId: node.nodeId,
    name: node.name,
    accepted: node.accepted,
    online: node.online,
    address: toText(node.address),
    bootTarget: bootTargets.fromWire(node.bootTarget) ?? "unknown",
    bootImageDigest: toText(node.bootImageDigest),
    bootStage: node.bootStage
      ? { path: node.bootStage.path, time: toTime(node.bootStage.time), missing: node.bootStage.missing }
      : null,
    troubles: node.troubles.map(({ kind, message, since, lastTime, count }) => ({
      ...{ kind: nodeTroubleKinds.fromWire(kind) ?? "unknown", message },
      ...{ since: toTime(since), lastTime: toTime(lastTime), count },
    })),
    provedImageName: toText(node.provedImageName),
    provedImageDigest: toText(node.provedImageDigest),
    provedWeakly: node.provedWeakly,
    rolloutId: toText(node.rolloutId),
    lastReimage: node.lastReimage ? viewLastReimage(node.lastReimage) : null,
    labels: Object.fromEntries(node.labels.map(({ key, value }) => [key, value])),
    lastSeenAt: toTime(node.lastSeenAt),
    discoveredAt: toTime(node.discoveredAt),
    index: node.index || null,
    config: viewConfig(node.config),
    replacedBoard: node.replacedBoard
      ? { serial: node.replacedBoard.serial, name: node.replacedBoard.name, since: toTime(node.replacedBoard.since) }
      : null,
    facts: node.facts ? viewFacts(node.facts) : null,
    agent: node.agent ? viewAgent(node.agent) : null,
  };
}
