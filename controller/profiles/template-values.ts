import type { GivenValues } from "../hooks/hook.ts";
import type { ProfiledNode } from "./choose-profiles.ts";
import type { TemplateValues } from "./templates.ts";

/**
 * What templates can say of a node. What is not known of it is absent, and a template that uses it fails.
 *
 * - `name`, `mac`, `image` (its name): always
 * - `index`: of an accepted node, a number from 1 on that no other has and that it keeps until it is forgotten
 * - `labels`: a map by key: `labels.rack`, `labels["example.org/rack"]`
 * - `hook`: a map of what before-reimage hooks give, by name
 * - `address`, `serial`, `model`: once it is known
 */
export function templateValuesOf(
  { id, name, labels = {}, address, facts, index }: ProfiledNode,
  imageName: string,
  given: GivenValues["values"] = {},
): TemplateValues {
  return {
    ...{ name, mac: id, image: imageName, labels: { ...labels }, hook: { ...given } },
    ...(index !== undefined && { index }),
    ...(address !== undefined && { address }),
    ...(facts !== undefined && facts.serial !== "" && { serial: facts.serial }),
    ...(facts !== undefined && facts.model !== "" && { model: facts.model }),
  };
}
