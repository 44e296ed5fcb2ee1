import type { Entry } from "./history.ts";

const random = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/**
 * The same history with the controller's random ids named in the order in which they appear, so that two runs of one
 * seed can be compared.
 */
export function withPlainIds(entries: readonly Entry[]): readonly Entry[] {
  const names = new Map<string, string>();
  const plain = JSON.stringify(entries).replaceAll(random, (id) => {
    const name = names.get(id) ?? `reimage-${names.size + 1}`;
    names.set(id, name);
    return name;
  });
  return JSON.parse(plain) as readonly Entry[];
}
