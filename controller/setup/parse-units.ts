import type { UnitState } from "./facts.ts";

/** The properties to ask `systemctl show` for. */
export const unitProperties = "Id,LoadState,ActiveState,SubState,UnitFileState,FragmentPath";

/**
 * Reads what `systemctl show --property=…` prints: a block of lines for each unit that it was asked for.
 *
 * @param names the units, in the order that they were asked for: a name may be an alias of another
 */
export function parseUnits(text: string, names: readonly string[]): ReadonlyMap<string, UnitState> {
  const blocks = text.split(/\n\n+/).filter((block) => block.trim() !== "");
  const states = blocks.map((block): UnitState => {
    const values = new Map(
      block.split("\n").map((line) => {
        const at = line.indexOf("=");
        return [line.slice(0, at), line.slice(at + 1)] as const;
      }),
    );
    const file = values.get("FragmentPath") ?? "";
    return {
      exists: values.get("LoadState") !== "not-found",
      isActive: ["active", "activating", "reloading"].includes(values.get("ActiveState") ?? ""),
      isRestarting: values.get("SubState") === "auto-restart",
      enablement: values.get("UnitFileState") ?? "",
      ...(file !== "" && { file }),
    };
  });
  const nowhere: UnitState = { exists: false, isActive: false, isRestarting: false, enablement: "" };
  return new Map(names.map((name, index) => [name, states[index] ?? nowhere]));
}
