import type { FileChange } from "../../setup/plan-changes.ts";
import type { Action, SetupPlan } from "../../setup/plan-setup.ts";
import type { UndoPlan } from "../../setup/plan-undo.ts";
import type { PartStatus } from "../../setup/setup-status.ts";
import { printable } from "./printable.ts";
import { createPaint, type Look } from "./style.ts";
import { type Cell, renderTable } from "./table.ts";
import { formatCount } from "./units.ts";

/** What a setup would do, or what is in its way. */
export function renderSetupPlan(plan: Omit<SetupPlan, "journal">, look: Look): string[] {
  const paint = createPaint(look.color);
  const steps = renderSteps(plan);
  const head =
    plan.conflicts.length > 0
      ? paint("red", `${formatCount(plan.conflicts.length, "thing")} in the way: nothing is changed`)
      : steps.length === 0
        ? paint("green", "this machine is set up: nothing to do")
        : paint("bold", `${formatCount(steps.length, "step")}:`);
  return [
    head,
    ...renderConflicts(plan, look),
    ...(plan.conflicts.length > 0 ? [] : steps.map((step) => `  ${step}`)),
    ...plan.notes.flatMap((note) => ["", `${paint("dim", "note:")} ${printable(note)}`]),
  ];
}

/** What an undo would do. */
export function renderUndoPlan(plan: UndoPlan, look: Look): string[] {
  const paint = createPaint(look.color);
  const steps = renderSteps(plan);
  return plan.conflicts.length > 0
    ? [
        paint("red", `${formatCount(plan.conflicts.length, "thing")} in the way: nothing is undone`),
        ...renderConflicts(plan, look),
      ]
    : [
        paint("bold", `${formatCount(steps.length, "step")}:`),
        ...steps.map((step) => `  ${step}`),
        ...plan.kept.map((path) => `  keep ${printable(path)}: it is not as the setup wrote it`),
      ];
}

/** How a setup is now. */
export function renderSetupStatus(parts: readonly PartStatus[], look: Look): string[] {
  return renderTable(
    [{ title: "PART" }, { title: "STATE" }],
    parts.map(({ part, state, isFine }): readonly (Cell | string)[] => [
      part,
      { text: state, style: isFine ? "green" : "red" },
    ]),
    look,
  );
}

function renderConflicts({ conflicts }: Pick<SetupPlan, "conflicts">, look: Look): string[] {
  const paint = createPaint(look.color);
  return conflicts.flatMap(({ message, remedy }) => [
    "",
    printable(message),
    `  ${paint("dim", "remedy:")} ${printable(remedy)}`,
  ]);
}

function renderSteps({ stops, changes, actions }: Pick<SetupPlan, "stops" | "changes" | "actions">): readonly string[] {
  return [...stops.map(describeAction), ...changes.map(describeStep), ...actions.map(describeAction)];
}

/** A step in a few words. */
export function describeStep(step: Action | FileChange): string {
  if (step.kind === "write") return `write ${printable(step.path)}: ${printable(step.about)}`;
  return step.kind === "remove" ? `remove ${printable(step.path)}` : describeAction(step);
}

function describeAction(action: Action): string {
  switch (action.kind) {
    case "stop":
    case "start":
    case "restart":
      return `${action.kind} ${printable(action.unit)}`;
    case "reload":
      return action.what === "network" ? "have systemd-networkd read its files" : `have ${action.what} read its files`;
    case "raise":
      return `raise ${printable(action.device)}`;
    case "rename":
      return `rename ${printable(action.from)} to ${printable(action.to)}`;
    case "address":
      return `${action.add ? "give" : "take"} ${printable(action.address)} ${action.add ? "to" : "from"} ${printable(action.device)}`;
    case "forward":
      return action.on ? "forward between interfaces" : "forward no longer";
    case "user":
      return action.exists ? "make the user pallet, that the controller runs as" : "remove the user pallet";
    case "folders":
      return action.of === "pallet"
        ? "give the controller's folders to pallet"
        : "give the controller's folders back to root";
  }
}
