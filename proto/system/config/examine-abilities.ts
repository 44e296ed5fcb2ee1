import type { RootView } from "../examine-root.ts";
import type { SystemAbilities } from "./abilities.ts";

/** A root filesystem in which folders can be listed, too. */
export interface ListedRoot extends RootView {
  /** Names of what is in a folder, in any order; none when there is no such folder. */
  list(path: string): Promise<readonly string[]>;
}

/** Examines what a system can be told. Rejects with what the view rejects with. */
export async function examineAbilities(_root: ListedRoot): Promise<SystemAbilities> {
  throw new Error("to be written");
}
