import { judgeKernels } from "../../../proto/system/judge-kernels.ts";
import { verdictWords } from "../../../proto/words/reimage-verdict.ts";
import { renderLabels } from "../../nodes/label.ts";
import type { FactsView, NodeView, TasksView, TroubleView } from "../view/node-view.ts";
import { nodeColumns, nodeStatus } from "./node-columns.ts";
import { printable } from "./printable.ts";
import type { Look } from "./style.ts";
import { type Cell, renderFields, renderTable } from "./table.ts";
import { formatAge, formatBytes, formatCount, formatDuration } from "./units.ts";

/** Shown if the controller knows no nodes. */
export const noNodes =
  "no nodes yet: power one on, and it appears as soon as it asks for a boot file; a DHCP server that is not this controller's own has to name this controller as the TFTP server";

/** More are told as a number. */
const mostTroublesTold = 8;

/** What keeps nodes from being heard, a line each, below the table of nodes. */
export function renderTroubles(nodes: readonly NodeView[], now: number): string[] {
  const all = nodes.flatMap(({ name, troubles }) => troubles.map((trouble) => `${name}: ${tellTrouble(trouble, now)}`));
  const more = all.length - mostTroublesTold;
  if (more <= 0) return all;
  return [...all.slice(0, mostTroublesTold), `${more} more; "controller node show NODE" tells those of a node`];
}

function tellTrouble({ message, since }: TroubleView, now: number): string {
  return `${printable(message)}; it began ${formatAge(since, now)}`;
}

/** What the table of nodes shows beyond what it always does. */
export interface NodesShown {
  /** Their labels, before what a narrow terminal omits. */
  readonly labels?: boolean;
  /** Every column; give a look without a width, so that none is omitted. */
  readonly wide?: boolean;
}

/** The nodes as a table. */
export function renderNodes(nodes: readonly NodeView[], look: Look, now: number, shown: NodesShown = {}): string[] {
  const columns = nodeColumns.filter(
    (column) => column.shown === undefined || shown.wide || (shown.labels && column.shown === "labels"),
  );
  const rows = nodes.map((node) => columns.map(({ cell }) => cell(node, now)));
  return renderTable(columns, rows, look);
}

/** Hints below the table of nodes. */
export function renderNodesHint(nodes: readonly NodeView[]): string[] {
  const fresh = nodes.filter(({ accepted, replacedBoard }) => !accepted && replacedBoard === null);
  if (fresh.length === 0) return [];
  const which = fresh.length === 1 ? "is pending: nothing writes to it" : "are pending: nothing writes to them";
  const names = fresh.length > 4 ? "--all" : fresh.map(({ name }) => name).join(" ");
  return [
    `${formatCount(fresh.length, "node")} ${which} or reboots ${fresh.length === 1 ? "it" : "them"}; accept with: controller node accept ${names}`,
  ];
}

/** What to know of boards that took the place of others, a line for each. */
export function renderReplacedHint(nodes: readonly NodeView[]): string[] {
  return nodes.flatMap(({ name, replacedBoard, facts }) =>
    replacedBoard === null
      ? []
      : [
          `${name} is another board (serial number ${facts?.serial ?? "unknown"}) than ${replacedBoard.name} ` +
            `(${replacedBoard.serial}), whose MAC address it has; to let it take over that name: ` +
            `controller node accept ${name}`,
        ],
  );
}

/** Nodes that run a system of ours, and whose next boot nevertheless goes to the agent, since its image is gone. */
export function selectImageless(nodes: readonly NodeView[], knownDigests: ReadonlySet<string>): readonly NodeView[] {
  return nodes.filter(({ agent, bootTarget, provedImageDigest, rolloutId }) => {
    if (agent?.role !== "resident" || agent.installed === null) return false;
    const nothingKnown = bootTarget === "agent" && provedImageDigest === null && rolloutId === null;
    return nothingKnown && !knownDigests.has(agent.installed.imageDigest);
  });
}

/** What to do about nodes of `selectImageless`, a line for each image. */
export function renderImagelessHint(nodes: readonly NodeView[]): string[] {
  const byImage = Object.groupBy(nodes, ({ agent }) => agent?.installed?.imageName ?? "");
  return Object.entries(byImage).map(([image, of = []]) => {
    const names = of.map(({ name }) => name).join(", ");
    return (
      `by its stamp, ${names} ${of.length === 1 ? "runs" : "run"} ${image}, which is not in the catalogue: the next ` +
      `boot goes to the agent until it is added (controller images add FILE --name ${image})`
    );
  });
}

/** How far a node's first-boot tasks are, in a line. */
export function describeTasks({ tasks, problem }: TasksView): Cell {
  if (problem !== null) return { text: problem, style: "red" };
  const succeeded = tasks.filter(({ state }) => state === "succeeded").length;
  const current = tasks.find(({ state }) => state !== "succeeded");
  if (current === undefined) return { text: `configured: ${formatCount(succeeded, "task")} succeeded`, style: "green" };
  const why = current.problem === null ? "" : `: ${current.problem}`;
  const of = `${succeeded} of ${tasks.length} succeeded`;
  return { text: `${of}; ${current.name} ${current.state}${why}`, style: current.state === "failed" ? "red" : "cyan" };
}

function describeStage(stage: NodeView["bootStage"], now: number): Cell | string {
  if (stage === null) return "none seen";
  const { path, time, missing } = stage;
  if (!missing) return `${path}, ${formatAge(time, now)}`;
  return { text: `${path} is missing from the boot tree, ${formatAge(time, now)}`, style: "red" };
}

/** What is wrong between the running kernel and the card; nothing when they agree. */
function renderKernels(name: string, { kernel, kernels }: FactsView): [string, Cell][] {
  const finding = kernels === null ? undefined : judgeKernels(kernel ?? "", kernels);
  if (finding === undefined) return [];
  const style = finding.severity === "warning" ? "red" : "yellow";
  return [["modules", { text: `${name} ${finding.message}`, style }]];
}

function describeLastReimage(last: NodeView["lastReimage"]): string {
  if (last === null) return "none";
  const { rolloutId, imageName, phase, verdict, failure } = last;
  const card = verdict === null ? "" : `, ${verdictWords[verdict]}`;
  const why = failure === null ? "" : `: ${failure.message.split("\n")[0]}`;
  return `${phase}${card}, by rollout ${rolloutId} of ${imageName}${why}`;
}

/** What profiles made of its system; nothing where they made nothing of it. */
function renderConfig(config: NodeView["config"]): (readonly [string, string])[] {
  if (config === null) return [];
  const { digest, profiles, hostKeys } = config;
  return [
    ["profiles", `${profiles.join(", ") || "unknown"} (config ${digest})`],
    ...hostKeys.map(({ key, fingerprint }) => ["host key", `${fingerprint} (${key.split(" ")[0]})`] as const),
  ];
}

/** One node with everything known about it. */
export function renderNode(node: NodeView, look: Look, now: number): string[] {
  const { facts, agent, bootStage } = node;
  const age = (time: string | null) => (time === null ? "never" : `${time} (${formatAge(time, now)})`);
  const fields: (readonly [string, Cell | string])[] = [
    ["name", node.name],
    ["mac", node.nodeId],
    ["status", nodeStatus(node)],
    ["accepted", node.accepted ? "yes" : `pending: accept it with "controller node accept ${node.name}"`],
    ...(node.replacedBoard === null
      ? []
      : ([
          [
            "board",
            `another one than ${node.replacedBoard.name} (serial number ${node.replacedBoard.serial}) since ${age(node.replacedBoard.since)}`,
          ],
        ] as const)),
    ["address", node.address ?? "unknown"],
    [
      "next boot",
      node.bootImageDigest === null ? node.bootTarget : `${node.bootTarget}, image ${node.bootImageDigest}`,
    ],
    [
      "proved",
      node.provedImageName === null
        ? "nothing yet"
        : `${node.provedImageName}, ${node.provedImageDigest ?? ""}${node.provedWeakly ? " (weak proof: --no-resident)" : ""}`,
    ],
    ["labels", renderLabels(node.labels) || "none"],
    ["index", node.index === null ? "none" : String(node.index)],
    ...renderConfig(node.config),
    ["rollout", node.rolloutId ?? "none"],
    ["last reimage", describeLastReimage(node.lastReimage)],
    ...(agent?.tasks ? [["tasks", describeTasks(agent.tasks)] as const] : []),
    ["last seen", age(node.lastSeenAt)],
    ["discovered", age(node.discoveredAt)],
    ["boot stage", describeStage(bootStage, now)],
    ...node.troubles.map((trouble) => ["trouble", { text: tellTrouble(trouble, now), style: "red" }] as const),
  ];
  if (agent !== null)
    fields.push(["agent", `${agent.version ?? "?"}, ${agent.role}, port ${agent.port}, instance ${agent.instanceId}`]);
  if (agent?.bootedAlone)
    fields.push(["booted", { text: "its card by itself, without the controller's kernel words", style: "yellow" }]);
  if (agent?.installed) {
    const { imageName, imageDigest, reimageId } = agent.installed;
    fields.push(["installed", `${imageName}, ${imageDigest}, by ${reimageId}`]);
  }
  if (facts !== null) {
    const { root } = facts;
    fields.push(
      ["model", facts.model ?? "unknown"],
      ["serial", facts.serial ?? "unknown"],
      ["cpu", `${facts.cpuCount} × ${facts.cpuModel ?? "unknown"}, ${facts.architecture ?? "?"}`],
      ["memory", formatBytes(facts.memoryBytes)],
      ["temperature", facts.temperatureCelsius === null ? "unknown" : `${facts.temperatureCelsius.toFixed(1)} °C`],
      ["kernel", facts.kernel ?? "unknown"],
      ...renderKernels(node.name, facts),
      [
        "root",
        root === null ? "unknown" : `${root.source} (${root.filesystemType})${root.disk ? ` on ${root.disk}` : ""}`,
      ],
      ["boot id", facts.bootId ?? "unknown"],
      ["hostname", facts.hostname ?? "unknown"],
      ["up for", formatDuration(facts.uptimeSeconds * 1000)],
    );
    for (const { name, mac, currentMac, addresses } of facts.interfaces) {
      const now = currentMac === undefined ? [] : [`now ${currentMac}`];
      fields.push(["interface", [name, mac, ...now, ...addresses].join(", ")]);
    }
  }
  return renderFields(fields, look);
}
