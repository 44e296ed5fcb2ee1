import { join } from "node:path";
import type { NfsConfig } from "../network/network-config.ts";
import { locateRoots, type Root, readCurrentRoot } from "../roots/read-roots.ts";
import { currentLink } from "../roots/root-paths.ts";
import type { ServedRoot } from "./choose-agent-boot.ts";

/** What nodes that boot now get as their root filesystem. */
export interface ServedRoots {
  /** The store of versions; absent where the operator exports a root filesystem of his own, or none. */
  readonly store?: string;
  /** The version for new boots; absent before one with an agent in it is finished. */
  readonly current?: Root;
  /** Path that nodes mount where there is no version for them. */
  readonly path?: string;
}

/** Reads what new boots get: it may have changed since the last one. */
export async function readServedRoots({ mode, rootfs }: Pick<NfsConfig, "mode" | "rootfs">): Promise<ServedRoots> {
  if (mode === "none" || rootfs === undefined) return {};
  const location = await locateRoots(rootfs);
  if (location.kind !== "store") return { path: location.kind === "plain" ? location.rootFolder : rootfs };
  const { store } = location;
  const current = await readCurrentRoot(store);
  const path = join(store, currentLink, "root");
  // Without an agent it is not finished: "controller rootfs import" was there, and "bake" was not yet.
  return { store, path, ...(current?.manifest.agent !== undefined && { current }) };
}

/** The same for chooseAgentBoot. */
export function servedRootOf({ current }: ServedRoots): ServedRoot | undefined {
  if (current === undefined) return undefined;
  const { id, rootFolder, manifest } = current;
  return { id, nfsPath: rootFolder, hasBackports: manifest.backports !== undefined };
}
