import { limits } from "../../limits.ts";

/**
 * Whether a path is absolute and means what it says: no ".", "..", empty part, nor control character in it, and it is
 * not the root.
 */
export function isPlainPath(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  const isWhole = path.length <= limits.config.pathCharacters.most && /^(\/[^/\x00-\x1f\x7f]{1,255})+$/.test(path);
  return isWhole && !path.split("/").some((part) => part === "." || part === "..");
}
