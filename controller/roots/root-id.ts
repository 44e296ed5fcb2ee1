/** Names one version of the root filesystem in its store: when it was made, and a random part. */
export type RootId = string & { readonly __brand: "RootId" };

/**
 * The version that lies at the top of the store, where an older Pallet built it: without a folder of its own, and
 * replaced in place by that Pallet.
 */
export const flatRoot = "flat" as RootId;

const shape = /^\d{8}-\d{6}-[0-9a-f]{8}$/;

/** The id that the text is; undefined where it is none. It is safe as a file name, and in a boot config. */
export function parseRootId(text: string): RootId | undefined {
  return text === flatRoot || shape.test(text) ? (text as RootId) : undefined;
}

/** The id of a version made now, "20261128-221500-3fa9c1d2": ids sort by age. */
export function renderRootId(at: Date, random: Uint8Array): RootId {
  const time = at
    .toISOString()
    .replaceAll(/[-:]|\..*$/g, "")
    .replace("T", "-");
  return `${time}-${Buffer.from(random.subarray(0, 4)).toString("hex")}` as RootId;
}
