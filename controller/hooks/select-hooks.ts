import type { Labels } from "../nodes/label.ts";
import { matchesLabels } from "../nodes/parse-label-selector.ts";
import type { Hook, HookMoment } from "./hook.ts";

/** The hooks of that moment that are meant for a node with these labels, in the order in which they are configured. */
export function selectHooks(hooks: readonly Hook[], when: HookMoment, labels: Labels = {}): readonly Hook[] {
  return hooks.filter((hook) => hook.when === when && matchesLabels(labels, hook.labels));
}
