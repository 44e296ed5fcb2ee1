import type { Need } from "../../proto/linux/debian-package.ts";
import { archiveNeeds } from "../requirements/archive-needs.ts";
import type { Requirements } from "../requirements/requirements.ts";
import { type TargetName, targets } from "./targets.ts";

/** What `boot-tree build` needs, with the builds of U-Boot that are not in the cache yet. */
export function planBootTreeBuild(of: {
  readonly mirror: string;
  /** Nothing else has to be fetched from Debian's archive. */
  readonly isFetched: boolean;
  readonly uncachedTargets: readonly TargetName[];
}): Omit<Requirements, "writes"> {
  const compilers = of.uncachedTargets.map((name) => targets[name].compiler);
  const uBoot: readonly Need[] = [
    ...archiveNeeds(of.mirror),
    ...(["dpkg-source", "dpkg-parsechangelog", "make", "gcc", "bison", "flex", "bc", "xxd"] as const),
    ...(["/usr/include/stdio.h", "/usr/include/openssl/evp.h"] as const),
    ...compilers,
  ];
  return {
    command: "boot-tree build",
    needs: ["flock", ...(of.isFetched ? [] : archiveNeeds(of.mirror)), ...(of.uncachedTargets.length > 0 ? uBoot : [])],
  };
}
