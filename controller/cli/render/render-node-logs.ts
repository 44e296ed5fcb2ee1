import type { NodeLogView } from "../view/node-log-view.ts";
import { printable, printableJson, printableLines } from "./printable.ts";
import { createPaint, type Look, type Style } from "./style.ts";
import { padText } from "./text-width.ts";
import { formatCount } from "./units.ts";

const styles: Readonly<Partial<Record<NodeLogView["level"], Style>>> = {
  trace: "dim",
  debug: "dim",
  warn: "yellow",
  error: "red",
  fatal: "red",
};

/**
 * One record of a node's log: a line with the time by the controller's clock, the level, the agent's role, the message
 * and its other fields, then the lines of its error. If records before it were lost, a line before it says so.
 *
 * @param ofAll whether the log covers all nodes, so that the line has to name the node
 */
export function renderNodeLog(record: NodeLogView, look: Look, ofAll: boolean): string[] {
  const paint = createPaint(look.color);
  const node = printable(record.nodeName ?? record.nodeId);
  const line = [
    paint("dim", record.time ?? "no time"),
    paint(styles[record.level], padText(record.level, 5)),
    ...(ofAll ? [paint("cyan", padText(node, 12))] : []),
    paint("dim", padText(record.agentRole, 8)),
    [printable(record.message), ...renderFields(record.fields).map((field) => paint("dim", field))].join(" "),
  ];
  const missing = formatCount(record.missingBefore, "record");
  return [
    ...(record.missingBefore === 0 ? [] : [paint("yellow", `(${missing} of ${node} never arrived)`)]),
    line.join("  "),
    ...(record.error === null ? [] : printableLines(record.error).map((text) => `    ${text}`)),
  ];
}

/** "name=value": text as it is if that is unambiguous, everything else as JSON. */
function renderFields(fields: NodeLogView["fields"]): string[] {
  return Object.entries(fields ?? {}).map(([name, value]) => {
    const isPlain = typeof value === "string" && /^[^\s"={}[\]]+$/u.test(value);
    return `${printable(name)}=${isPlain ? printable(value) : printableJson(value)}`;
  });
}
