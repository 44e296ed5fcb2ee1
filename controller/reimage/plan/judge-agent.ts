import { Failure } from "../../../proto/failure.ts";
import type { AgentInfo } from "../../../proto/node/agent-info.ts";
import { type AskedWrite, type Capability, features, selectUnknown } from "../../../proto/operation/capabilities.ts";
import type { OperationSpec } from "../../../proto/operation/operation-spec.ts";

/** What an agent makes of the work that it is to be asked for. */
export interface AgentVerdict {
  /** The work without what an agent may leave out: a system without it is complete. */
  readonly spec: WriteSpec;
  /** What was left out. */
  readonly leftOut: readonly Capability[];
  /** Why the agent must not be asked: it would leave out, without a word, what the reimage promises. */
  readonly refusal?: Failure;
}

type WriteSpec = OperationSpec & { readonly kind: "write-image" };

/** What an agent may leave out. */
const optional: readonly Capability[] = ["resident-settings"];

/** How nodes get the agent of this controller. */
const remedy = 'give the nodes this controller\'s agent ("controller rootfs bake"), and reboot the node';

/** Judges the work by what the agent has registered that it can do. */
export function judgeAgent(spec: WriteSpec, agent: Pick<AgentInfo, "version" | "capabilities">): AgentVerdict {
  const leftOut = selectUnknown(spec, agent.capabilities).filter((each) => optional.includes(each));
  const refusal = refuseUnknown(spec, agent);
  return { spec: leftOut.length > 0 ? withoutSettings(spec) : spec, leftOut, ...(refusal && { refusal }) };
}

/** Why an agent must not be asked for such a write; undefined when it may be. For a plan, before there is all of it. */
export function refuseUnknown(
  write: AskedWrite,
  { version, capabilities }: Pick<AgentInfo, "version" | "capabilities">,
): Failure | undefined {
  const refused = selectUnknown(write, capabilities).filter((each) => !optional.includes(each));
  if (refused.length === 0) return undefined;
  const what = refused.map((each) => `${features[each].does} (${each})`).join(", ");
  const otherwise = refused.map((each) => features[each].otherwise);
  const without = otherwise.every((each) => each !== undefined) ? `; or do without: ${otherwise.join(", ")}` : "";
  const message = `the node's agent (version ${version}) is older than this controller and cannot ${what}: ${remedy}${without}`;
  return new Failure("unsupported", message);
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

function withoutSettings(spec: WriteSpec): WriteSpec {
  if (spec.customisation === undefined) return spec;
  const { settings: _, ...customisation } = spec.customisation;
  return { ...spec, customisation };
}
