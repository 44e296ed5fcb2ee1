import type { Metadata } from "@grpc/grpc-js";

/** One run of an agent on one boot of a node. */
export interface AgentIds {
  readonly bootId: string;
  readonly instanceId: string;
}

/** Binary, so that a boot id may hold whatever a node says it is. */
const expectedKeys = { bootId: "pallet-expected-boot-bin", instanceId: "pallet-expected-instance-bin" } as const;
const answeringKeys = { bootId: "pallet-boot-bin", instanceId: "pallet-instance-bin" } as const;
type Keys = Readonly<Record<keyof AgentIds, string>>;

/**
 * Adds to the metadata of a call which agent it is meant for; another one refuses it. Agents from before this ignore
 * it.
 */
export function expectAgent(metadata: Metadata, ids: Partial<AgentIds>): void {
  write(metadata, expectedKeys, ids);
}

/** Which agent a call is meant for; a field is absent where any will do, as in calls of a controller from before this. */
export function expectedAgent(metadata: Metadata): Partial<AgentIds> {
  return read(metadata, expectedKeys);
}

/** Adds to the metadata of an answer, initial or trailing, which agent gives it. */
export function signAnswer(metadata: Metadata, ids: AgentIds): void {
  write(metadata, answeringKeys, ids);
}

/** Which agent gave an answer; empty for those of agents from before this, and for errors that no agent sent. */
export function answeringAgent(metadata: Metadata): Partial<AgentIds> {
  return read(metadata, answeringKeys);
}

/** Whether nothing that both name differs. */
export function areSameAgent(one: Partial<AgentIds>, other: Partial<AgentIds>): boolean {
  return (["bootId", "instanceId"] as const).every(
    (id) => one[id] === undefined || other[id] === undefined || one[id] === other[id],
  );
}

function write(metadata: Metadata, keys: Keys, { bootId, instanceId }: Partial<AgentIds>): void {
  if (bootId !== undefined) metadata.set(keys.bootId, Buffer.from(bootId));
  if (instanceId !== undefined) metadata.set(keys.instanceId, Buffer.from(instanceId));
}

function read(metadata: Metadata, keys: Keys): Partial<AgentIds> {
  const textOf = (key: string): string | undefined => {
    const [value] = metadata.get(key);
    return value?.toString();
  };
  const [bootId, instanceId] = [textOf(keys.bootId), textOf(keys.instanceId)];
  return { ...(bootId !== undefined && { bootId }), ...(instanceId !== undefined && { instanceId }) };
}
