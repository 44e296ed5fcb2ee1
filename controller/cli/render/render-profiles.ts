import type { NodeConfigView, ProfileProblemView, ProfileView } from "../view/profile-view.ts";
import { printable } from "./printable.ts";
import { renderSomeNames } from "./some-names.ts";
import type { Look } from "./style.ts";
import { renderTable } from "./table.ts";

/** The profiles as a table, in the order in which they are merged. */
export function renderProfileList(profiles: readonly ProfileView[], look: Look): string[] {
  return renderTable(
    [
      { title: "NAME" },
      { title: "PRIORITY", align: "right" },
      { title: "NODES", align: "right" },
      { title: "FOR", shrinkTo: 12 },
      { title: "SETS", shrinkTo: 12 },
    ],
    profiles.map(({ name, priority, nodes, match, fields }) => [
      name,
      String(priority),
      String(nodes.length),
      match ?? "every node",
      fields.join(" "),
    ]),
    look,
  );
}

/** What is wrong with profiles, a line each. */
export function renderProfileProblems(problems: readonly ProfileProblemView[]): string[] {
  return problems.map(({ file, line, column, field, problem, nodes }) => {
    const where = line === null ? file : `${file} line ${line} column ${column ?? 1}`;
    const whom = nodes.length === 0 ? "" : ` (for ${renderSomeNames(nodes)})`;
    return printable(`${where}: ${field === null ? "" : `${field}: `}${problem}${whom}`);
  });
}

/** What profiles say for a node: the config, and what is written where. */
export function renderNodeConfig(node: string, { imageName, config, yaml, edits, refusals }: NodeConfigView): string[] {
  if (config === null) return [`No profile says anything for ${printable(node)} with ${printable(imageName)}.`];
  const lines = [
    `# ${printable(node)} with ${printable(imageName)}, by ${config.profiles.map(printable).join(", ")}`,
    `# config ${config.digest}`,
    ...yaml.trimEnd().split("\n").map(printable),
  ];
  if (refusals.length > 0) return [...lines, "", ...refusals.flatMap((refusal) => refusal.split("\n")).map(printable)];
  const width = Math.max(0, ...edits.map(({ path }) => path.length));
  return [...lines, "", ...edits.map(({ path, does }) => printable(`${path.padEnd(width)}  ${does}`))];
}
