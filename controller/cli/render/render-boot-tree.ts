import type { BootTree } from "../../boot-tree/place-boot-tree.ts";
import { printable } from "./printable.ts";
import { formatCount } from "./units.ts";

/** What was made of a boot tree: lines of a report, and what an operator should know. */
export function renderBootTree(
  folder: string,
  { manifest, plan }: BootTree,
): { readonly lines: readonly string[]; readonly notes: readonly string[] } {
  const { versions, targets } = manifest;
  return {
    lines: [
      plan.write.length + plan.remove.length > 0 ? `built ${folder}` : "up to date",
      `  U-Boot    ${printable(versions.uBoot)}, for ${targets.join(", ")}`,
      `  firmware  ${printable(versions.firmware)}`,
      `  agent     ${versions.kernel === undefined ? "not included" : `kernel ${printable(versions.kernel)}`}`,
      `  ${formatCount(plan.write.length, "file")} written, ${plan.unchanged.length} unchanged, ${plan.remove.length} removed`,
    ],
    notes:
      plan.foreign.length === 0
        ? []
        : [
            `left alone, because someone else wrote or changed it: ${plan.foreign.map(printable).join(", ")} (--overwrite)`,
          ],
  };
}
