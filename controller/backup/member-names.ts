import { limits } from "../../proto/limits.ts";

/** The files of a backup that have one name. */
export const memberNames = {
  about: "pallet-backup.json",
  config: "config/pallet.yaml",
  database: "pallet.sqlite",
  sums: "SHA256SUMS",
} as const;

/** The folders of a backup, with their "/". */
export const memberFolders = {
  hookSecrets: "config/hook-secrets/",
  profiles: "profiles/",
  identity: "identity/",
  images: "images/",
} as const;

/** What a file of a backup is. */
export type MemberPart =
  | { readonly part: "about" | "config" | "database" | "sums" }
  | { readonly part: "hook-secret"; readonly hook: string }
  /** Path from the top of the folder of profiles, or of the identity. */
  | { readonly part: "profile" | "identity"; readonly path: string }
  | { readonly part: "image"; readonly image: string; readonly path: string };

/** What a file of this name is; undefined for one that no backup has: another file, or a path that leads elsewhere. */
export function partOf(name: string): MemberPart | undefined {
  switch (name) {
    case memberNames.about:
      return { part: "about" };
    case memberNames.config:
      return { part: "config" };
    case memberNames.database:
      return { part: "database" };
    case memberNames.sums:
      return { part: "sums" };
  }
  const below = (folder: string): string | undefined => {
    const path = name.startsWith(folder) ? name.slice(folder.length) : "";
    return isPlainPath(path) ? path : undefined;
  };
  const hook = below(memberFolders.hookSecrets);
  if (hook !== undefined) return hook.includes("/") ? undefined : { part: "hook-secret", hook };
  const profile = below(memberFolders.profiles);
  if (profile !== undefined) return { part: "profile", path: profile };
  const identity = below(memberFolders.identity);
  if (identity !== undefined)
    return /^(authority\.pem|token\.key|former\/[0-9a-f]{1,64}\.pem)$/.test(identity)
      ? { part: "identity", path: identity }
      : undefined;
  const [image = "", ...rest] = below(memberFolders.images)?.split("/") ?? [];
  if (image === "" || image.startsWith(".") || rest.length === 0) return undefined;
  return { part: "image", image, path: rest.join("/") };
}

/** The most bytes that such a file may have. */
export function mostBytesOf({ part }: MemberPart): number {
  switch (part) {
    case "image":
    case "database":
      return Number.MAX_SAFE_INTEGER;
    case "sums":
      return limits.backups.sumsBytes.most;
    default:
      return limits.backups.fileBytes.most;
  }
}

/** Whether it leads from its folder down to a file: no part of it is empty, "." or "..". */
function isPlainPath(path: string): boolean {
  return path !== "" && !path.includes("\0") && path.split("/").every((part) => !["", ".", ".."].includes(part));
}
