/**
 * Whether a path from inside an image is made of plain words only, so that no tool takes a part of it for a pattern, an
 * option, a quote or a way out of its folder.
 */
export function isSafePath(path: string): boolean {
  return path.length <= 255 && path.split("/").every((name) => /^[A-Za-z0-9_+@~][A-Za-z0-9._+@~-]*$/.test(name));
}

/** The same, but names may be hidden: ".profile". "." and ".." are no names. */
export function isPlainPath(path: string): boolean {
  return isSafePath(
    path
      .split("/")
      .map((name) => name.replace(/^\.(?=[^.])/, ""))
      .join("/"),
  );
}

/** The same, but with backslashes and colons, as systemd has them in names of units and radios: letters to debugfs(8), not to mtools. */
export function isDebugfsPath(path: string): boolean {
  return isPlainPath(path.replaceAll(/[\\:]/g, "_"));
}
