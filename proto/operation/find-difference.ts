/**
 * The first place at which two values of plain data differ, as a path of field names of the contract
 * ("customisation.disk_firmware"); undefined when they are the same. A field that is undefined is absent.
 */
export function findDifference(one: unknown, other: unknown): string | undefined {
  const path = pathTo(one, other, []);
  return path?.map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)).join(".");
}

function pathTo(one: unknown, other: unknown, path: readonly string[]): readonly string[] | undefined {
  if (!isObject(one) || !isObject(other)) return Object.is(one, other) ? undefined : path;
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const found = pathTo(one[name], other[name], [...path, name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
