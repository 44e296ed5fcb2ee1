import type { NodeView, TaskView } from "../view/node-view.ts";
import { printable, printableLines } from "./printable.ts";
import { createPaint, type Look, type Style } from "./style.ts";
import { renderTable } from "./table.ts";

const styles: Readonly<Record<TaskView["state"], Style>> = {
  waiting: "dim",
  running: "cyan",
  succeeded: "green",
  failed: "red",
};

/** Said when none of the nodes has any. */
export const noTasks = "No node runs a system with first-boot tasks.";

/** The first-boot tasks of nodes, a row each, and below them what failed ones wrote last. */
export function renderTasksTable(nodes: readonly NodeView[], look: Look): string[] {
  const paint = createPaint(look.color);
  const rows = nodes.flatMap(({ name, agent }) => {
    const { tasks = [], problem = null } = agent?.tasks ?? {};
    const broken = problem === null ? [] : [[name, "", { text: "unknown", style: "red" as const }, "", problem]];
    return [
      ...broken,
      ...tasks.map((task) => [
        name,
        task.name,
        { text: task.state, style: styles[task.state] },
        task.starts > 0 ? String(task.starts) : "",
        task.problem ?? "",
      ]),
    ];
  });
  if (rows.length === 0) return [noTasks];
  const titles = [
    ...[{ title: "NODE" }, { title: "TASK" }, { title: "STATE" }],
    ...[{ title: "STARTS", align: "right" as const }, { title: "WHY" }],
  ];
  const outputs = nodes.flatMap(({ name, agent }) =>
    (agent?.tasks?.tasks ?? []).flatMap((task) =>
      task.output === null
        ? []
        : [
            "",
            `${paint("red", printable(name))}: the last lines of ${printable(task.name)}:`,
            ...printableLines(task.output).map((line) => `  ${line}`),
          ],
    ),
  );
  return [...renderTable(titles, rows, look), ...outputs];
}
