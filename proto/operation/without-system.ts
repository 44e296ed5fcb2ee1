import type { OperationSpec } from "./operation-spec.ts";

/**
 * A spec without what the new system is to be, whose secrets travel one way only: to the agent, with the order. An agent
 * reports its operations so; that it has understood the order is seen from the config's digest in the stamp.
 */
export function withoutSystem(spec: OperationSpec): OperationSpec {
  if (spec.kind !== "write-image" || spec.customisation?.system === undefined) return spec;
  const { system: _, ...customisation } = spec.customisation;
  return { ...spec, customisation };
}
