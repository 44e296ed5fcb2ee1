import type { AuthorityView } from "../view/authority-view.ts";
import type { Look } from "./style.ts";
import { renderTable } from "./table.ts";

/** Longer lists of users end in how many more there are. */
const mostNames = 8;

/** The certificate authorities as a table, the current one first, with who goes by each. */
export function renderAuthorities(authorities: readonly AuthorityView[], look: Look): string[] {
  return renderTable(
    [{ title: "AUTHORITY" }, { title: "STATE" }, { title: "USED BY", shrinkTo: 12 }],
    authorities.map(({ id, current, nodes, operators }) => [
      id,
      current ? "current: it signs" : "former",
      describeUsers([...nodes, ...operators.map((name) => `operator ${name}`)]),
    ]),
    look,
  );
}

function describeUsers(names: readonly string[]): string {
  const more = names.length > mostNames ? [`and ${names.length - mostNames} more`] : [];
  return [...names.slice(0, mostNames), ...more].join(", ");
}
