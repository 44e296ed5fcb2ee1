import type { Profile, ProfileProblem, RenderNodeConfigResponse } from "../../../proto/gen/pallet/v1/controller.ts";
import { type ConfigView, viewConfig } from "./config-view.ts";
import { toText } from "./wire-values.ts";

/** A profile as `--json` shows it. */
export interface ProfileView {
  readonly name: string;
  readonly file: string;
  readonly priority: number;
  /** Null for one that is for every node. */
  readonly match: string | null;
  readonly fields: readonly string[];
  readonly nodes: readonly string[];
}

/** Something that is wrong with a profile, as `--json` shows it. */
export interface ProfileProblemView {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly field: string | null;
  readonly problem: string;
  readonly nodes: readonly string[];
}

/** What profiles say for a node, as `--json` shows it. */
export interface NodeConfigView {
  readonly imageName: string;
  readonly config: ConfigView | null;
  readonly yaml: string;
  readonly edits: readonly { readonly path: string; readonly does: string }[];
  readonly refusals: readonly string[];
}

/** Converts from the wire. */
export function viewProfile({ match, ...profile }: Profile): ProfileView {
  return { ...profile, match: toText(match) };
}

/** Converts from the wire. */
export function viewProfileProblem({ line, column, field, ...problem }: ProfileProblem): ProfileProblemView {
  return { ...problem, line: line || null, column: column || null, field: toText(field) };
}

/** Converts from the wire. */
export function viewNodeConfig({ config, ...rest }: RenderNodeConfigResponse): NodeConfigView {
  return { ...rest, config: viewConfig(config) };
}
