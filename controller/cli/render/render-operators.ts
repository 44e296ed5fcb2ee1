import type { OperatorView } from "../view/operator-view.ts";
import type { Look } from "./style.ts";
import { renderTable } from "./table.ts";
import { formatAge } from "./units.ts";

/** Shown if nobody was ever added. */
export const noOperators = "no operators; let one in from elsewhere with: controller operator add NAME --role viewer";

/** The operators as a table, by name, with those that were revoked. */
export function renderOperators(operators: readonly OperatorView[], look: Look, now: number): string[] {
  return renderTable(
    [{ title: "NAME" }, { title: "ROLE" }, { title: "STATE" }, { title: "ADDED", isOptional: true }],
    operators.map((operator) => [
      operator.name,
      operator.role,
      stateOf(operator, now),
      formatAge(operator.addedAt, now),
    ]),
    look,
  );
}

function stateOf({ expiresAt, revokedAt }: OperatorView, now: number): string {
  if (revokedAt !== null) return `revoked ${revokedAt.slice(0, 10)}`;
  if (expiresAt === null) return "unknown";
  return `${Date.parse(expiresAt) < now ? "expired" : "until"} ${expiresAt.slice(0, 10)}`;
}
