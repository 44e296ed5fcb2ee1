import { printable } from "../render/printable.ts";
import { remedyFor } from "../render/remedy.ts";
import { renderFailure } from "../render/render-failure.ts";
import { createPaint, type Look } from "../render/style.ts";
import { renderTable } from "../render/table.ts";
import { formatBytes, formatCount } from "../render/units.ts";
import type { ImageView } from "../view/image-view.ts";
import type { PlanView } from "../view/rollout-view.ts";

/** Those that would be reimaged. */
function goingOf(plans: readonly PlanView[]): readonly PlanView[] {
  return plans.filter(({ refusal, unchanged }) => refusal === null && unchanged === null);
}

function plural(plans: readonly PlanView[]): string {
  return formatCount(plans.length, "node");
}

/** Groups plans whose text is the same, so that a rack of identical nodes is described once. */
function groupBy(plans: readonly PlanView[], textOf: (plan: PlanView) => string): Map<string, PlanView[]> {
  return Map.groupBy(
    plans.filter((plan) => textOf(plan) !== ""),
    textOf,
  );
}

/** The text with a word replaced wherever it is a whole word. */
function replaceWord(text: string, word: string, by: string): string {
  const literal = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return text.replace(new RegExp(`(?<![\\w/-])${literal}(?![\\w/-])`, "g"), by);
}

/**
 * The steps of a node in words that fit other nodes too: "the node" for its name, and "the disk" if disks differ. A
 * name that could be an ordinary word is left in place.
 */
function generalise({ steps, nodeName, disk }: PlanView, disksDiffer: boolean): string {
  const text = steps.join("\n");
  const named = /[\d-]/.test(nodeName) ? replaceWord(text, nodeName, "the node") : text;
  return disksDiffer && disk !== null ? replaceWord(named, disk, "the disk") : named;
}

function renderSteps(going: readonly PlanView[]): string[] {
  const disksDiffer = new Set(going.map(({ disk }) => disk)).size > 1;
  const list = (steps: readonly string[]) => steps.map((step, index) => `  ${index + 1}. ${printable(step)}`);
  return [...groupBy(going, (plan) => generalise(plan, disksDiffer))].flatMap(([steps, group]) => {
    const [only, ...others] = group;
    if (only !== undefined && others.length === 0) return ["", `Steps on ${names(group)}:`, ...list(only.steps)];
    const whom = group.length === going.length ? "every node" : names(group);
    return ["", `Steps on ${whom}:`, ...list(steps.split("\n"))];
  });
}

function names(plans: readonly PlanView[]): string {
  return plans.map(({ nodeName }) => printable(nodeName)).join(", ");
}

function describeDisk({ disk, diskBytes }: PlanView): string {
  if (disk === null) return "";
  return ` (${printable(disk)}${diskBytes > 0 ? `, ${formatBytes(diskBytes)}` : ""})`;
}

/** The digest of what its profiles say, and its host name. */
function describeConfig({ config }: PlanView): string {
  return config === null
    ? "none"
    : [config.digest.slice(0, 12), ...(config.hostname === null ? [] : [config.hostname])].join(" ");
}

/** Model and serial number of the disk, as far as they are known. */
function aboutDisk({ diskModel, diskSerial }: PlanView): string {
  return [diskModel ?? "", diskSerial === null ? "" : `serial ${diskSerial}`].filter((word) => word !== "").join(", ");
}

/**
 * What a rollout would do: the steps, the nodes that are left alone, the notes, the nodes that would be refused, with the
 * reason, and last, where the question follows and also a long rack shows it, one row per node with its disk, model and
 * serial number of that, and what it loses.
 */
export function renderPlan(image: ImageView, plans: readonly PlanView[], look: Look): string[] {
  const paint = createPaint(look.color);
  const going = goingOf(plans);
  const isConfigured = going.some(({ config }) => config !== null);
  const unchanged = plans.filter((plan) => plan.unchanged !== null);
  const refused = plans.filter(({ refusal }) => refusal !== null);
  const system = image.operatingSystem === null ? "" : ` (${printable(image.operatingSystem)})`;
  const lines = [
    paint("bold", `Image ${printable(image.name)}${system}, ${formatBytes(image.sizeBytes)}, on ${plural(going)}`),
    `SHA-256 ${printable(image.digest)}`,
  ];

  lines.push(...renderSteps(going));
  for (const [why, group] of groupBy(unchanged, (plan) => printable(plan.unchanged ?? "")))
    lines.push("", `Left alone: ${plural(group)}, ${names(group)}: ${why}`);
  for (const [note, group] of groupBy(going, (plan) => printable(plan.note ?? "")))
    lines.push("", `${paint("yellow", "Note")} on ${names(group)}: ${note}`);
  for (const plan of refused) {
    if (plan.refusal === null) continue;
    const remedy = remedyFor(plan.refusal.reason, plan.nodeName, plan.disk);
    const [first = "", ...rest] = renderFailure(plan.refusal, remedy);
    lines.push(
      "",
      `${paint("red", `Refused: ${printable(plan.nodeName)}`)}${describeDisk(plan)}: ${first}`,
      ...rest.map((line) => `  ${line}`),
    );
  }
  if (going.length > 0)
    lines.push(
      "",
      ...renderTable(
        [
          { title: "NODE" },
          { title: "DISK" },
          { title: "DISK SIZE", align: "right" },
          { title: "WRITES", align: "right" },
          ...(isConfigured ? [{ title: "CONFIG" }] : []),
          { title: "ERASES" },
        ],
        going.flatMap((plan) => {
          const nothing = plan.disk === null ? "known once the agent runs" : "nothing: the disk is blank";
          const [first = nothing, ...rest] = plan.erases;
          const about = aboutDisk(plan);
          // The second row tells more of the disk, so that there has to be one.
          const more = about !== "" && rest.length === 0 ? [""] : rest;
          return [
            [
              plan.nodeName,
              plan.disk ?? { text: "chosen later", style: "yellow" as const },
              plan.diskBytes > 0 ? formatBytes(plan.diskBytes) : "",
              formatBytes(plan.writeBytes),
              ...(isConfigured ? [describeConfig(plan)] : []),
              { text: first, style: plan.erases.length > 0 ? ("red" as const) : ("dim" as const) },
            ],
            ...more.map((text, index) => [
              "",
              { text: index === 0 ? about : "", style: "dim" as const },
              "",
              "",
              ...(isConfigured ? [""] : []),
              { text, style: "red" as const },
            ]),
          ];
        }),
        look,
      ),
    );
  return lines;
}

/** The question asked before anything is erased. */
export function renderEraseQuestion(image: ImageView, plans: readonly PlanView[]): string {
  const going = goingOf(plans);
  const disks = [...new Set(going.map(({ disk }) => disk))];
  const [only] = disks;
  const what = disks.length === 1 && only !== null && only !== undefined ? printable(only) : "the disks above";
  return `Erase ${what} on ${plural(going)} and install ${printable(image.name)}? Type yes: `;
}
