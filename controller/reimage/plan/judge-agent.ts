import { Failure } from "../../../proto/failure.ts";
import type { AgentInfo } from "../../../proto/node/agent-info.ts";
import { type Capability, features, selectUnknown } from "../../../proto/operation/capabilities.ts";
import type { OperationSpec } from "../../../proto/operation/operation-spec.ts";

/** What an agent makes of the work that it is to be asked for. */
export interface AgentVerdict {
  /** The work without what an agent may leave out: a system without it is complete. */
  readonly spec: OperationSpec;
  /** What was left out. */
  readonly leftOut: readonly Capability[];
  /** Why the agent must not be asked: it would leave out, without a word, what the reimage promises. */
  readonly refusal?: Failure;
}

/** How nodes get the agent of this controller. */
const remedy = 'give the nodes this controller\'s agent ("controller rootfs bake"), and reboot the node';

/** Judges the work by what the agent has registered that it can do. */
export function judgeAgent(
  spec: OperationSpec,
  { version, capabilities }: Pick<AgentInfo, "version" | "capabilities">,
): AgentVerdict {
  const unknown = selectUnknown(spec, capabilities);
  const leftOut = unknown.filter((each) => each === "resident-settings");
  const refused = unknown.filter((each) => each !== "resident-settings");
  const kept = leftOut.length > 0 ? withoutSettings(spec) : spec;
  if (refused.length === 0) return { spec: kept, leftOut };
  const what = refused.map((each) => `${features[each].does} (${each})`).join(", ");
  const otherwise = refused.map((each) => features[each].otherwise);
  const without = otherwise.every((each) => each !== undefined) ? `; or do without: ${otherwise.join(", ")}` : "";
  const message = `the node's agent (version ${version}) is older than this controller and cannot ${what}: ${remedy}${without}`;
  return { spec: kept, leftOut, refusal: new Failure("unsupported", message) };
}

/** What to tell the operator about what was left out; undefined when nothing was. */
export function describeLeftOut(node: string, { leftOut }: AgentVerdict): string | undefined {
  if (leftOut.length === 0) return undefined;
  const what = leftOut.map((each) => features[each].does).join(", ");
  return (
    `the agent of ${node} is older than this controller and cannot ${what}: should the board boot its card by itself, its ` +
    `resident agent has no controller; ${remedy} before the next reimage`
  );
}

function withoutSettings(spec: OperationSpec): OperationSpec {
  if (spec.kind !== "write-image" || spec.customisation === undefined) return spec;
  const { settings: _, ...customisation } = spec.customisation;
  return { ...spec, customisation };
}
