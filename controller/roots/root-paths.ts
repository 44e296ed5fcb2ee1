import { posix } from "node:path";
import { flatRoot, parseRootId, type RootId } from "./root-id.ts";

/** Folder in the store that holds one folder for each version. */
export const versionsFolder = "versions";
/** Link in the store that leads to the version that new boots get. */
export const currentLink = "current";

/** A version's folder: root/, vmlinuz, initrd.img, device-trees/, manifest.json, and backports/ with a second kernel. */
export function folderOfRoot(store: string, id: RootId): string {
  return id === flatRoot ? store : posix.join(store, versionsFolder, id);
}

/** What nodes mount. */
export function rootFolderOf(store: string, id: RootId): string {
  return posix.join(folderOfRoot(store, id), "root");
}

/** What `current` says: where it leads to, from the store. */
export function linkTargetOf(id: RootId): string {
  return id === flatRoot ? "." : posix.join(versionsFolder, id);
}

/** The version that the text of `current` leads to; undefined for what none of ours says. */
export function rootOfLinkTarget(target: string): RootId | undefined {
  if (target === ".") return flatRoot;
  const [folder, id = "", ...more] = target.split("/");
  const known = folder === versionsFolder && more.length === 0 ? parseRootId(id) : undefined;
  return known === flatRoot ? undefined : known;
}

/**
 * Which version a path leads into, as the value of "nfsroot=" says it, with or without its server and options; undefined
 * where it leads into none of the store.
 */
export function rootOfMountSource(store: string, source: string): RootId | undefined {
  const path = posix.normalize(source.replace(/^[^/]*:/, "").replace(/,.*$/, "")).replace(/\/$/, "");
  if (path === rootFolderOf(store, flatRoot)) return flatRoot;
  const id = parseRootId(posix.basename(posix.dirname(path)));
  return id !== undefined && id !== flatRoot && path === rootFolderOf(store, id) ? id : undefined;
}

/** Path of a kernel, an initrd or a device tree of a version, in what nodes may fetch: agent/ID/FILE. */
export function bootPathOf(id: RootId, file: string): string {
  return `agent/${id}/${file}`;
}

/**
 * The version and the file below its folder that a path in what nodes may fetch stands for: agent/ID/vmlinuz,
 * agent/ID/backports/initrd.img, agent/ID/bcm2711-rpi-4-b.dtb. Undefined for every other path.
 */
export function parseBootPathOfRoot(
  segments: readonly string[],
): { readonly id: RootId; readonly file: string } | undefined {
  const [folder, name = "", ...rest] = segments;
  const id = folder === "agent" ? parseRootId(name) : undefined;
  if (id === undefined) return undefined;
  const path = rest.join("/");
  if (/^(backports\/)?(vmlinuz|initrd\.img)$/.test(path)) return { id, file: path };
  // Firmware looks for device trees beside the kernel, whichever of the two it boots.
  const tree = /^(?:backports\/)?([\w.+-]+\.dtb)$/.exec(path)?.[1];
  return tree === undefined ? undefined : { id, file: `device-trees/${tree}` };
}
