/** As many symbolic links in one path as Linux follows (path_resolution(7)). */
const maxLinks = 40;

/** What is at a path, its last part not followed; undefined when nothing is, or something on the way is no folder. */
export type LookUp = (path: string) => Promise<{ readonly linkTarget?: string } | undefined>;

/** Where a path of a foreign root filesystem leads, as that system would name it, without links. */
export type Destination =
  | { readonly kind: "found"; readonly path: string }
  | { readonly kind: "absent" }
  | { readonly kind: "too-many-links" };

/** How to treat the end of the path. */
export interface FollowRules {
  /** "kept": what does not exist stays as it is named, so that it can be made there. */
  readonly missing: "absent" | "kept";
  /** "kept": a link at the very end is not followed, so that it can be replaced. */
  readonly lastLink: "followed" | "kept";
}

/**
 * Follows a path of a foreign root filesystem as if that filesystem were the root: symbolic links are followed inside
 * it, absolute ones too, and ".." stops at it. Rejects only if looking up does.
 */
export async function followPath(
  lookUp: LookUp,
  path: string,
  { missing, lastLink }: FollowRules,
): Promise<Destination> {
  const ahead = path.split("/").filter((part) => part !== "");
  const way: string[] = [];
  let links = 0;
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === ".") continue;
    if (part === "..") {
      way.pop();
      continue;
    }
    const found = await lookUp(`/${[...way, part].join("/")}`);
    if (found === undefined && missing === "absent") return { kind: "absent" };
    if (found?.linkTarget === undefined || (ahead.length === 0 && lastLink === "kept")) {
      way.push(part);
      continue;
    }
    if (++links > maxLinks) return { kind: "too-many-links" };
    if (found.linkTarget.startsWith("/")) way.length = 0;
    ahead.unshift(...found.linkTarget.split("/").filter((name) => name !== ""));
  }
  return { kind: "found", path: `/${way.join("/")}` };
}
