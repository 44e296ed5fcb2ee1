import { lstat, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";

/** Folders that are links in many systems, and where they may lead (file-hierarchy(7)). */
const usualLinks: Readonly<Record<string, readonly string[]>> = {
  "/bin": ["/usr/bin"],
  "/sbin": ["/usr/sbin", "/usr/bin"],
  "/lib": ["/usr/lib"],
  "/lib32": ["/usr/lib32"],
  "/lib64": ["/usr/lib64", "/usr/lib"],
  "/usr/sbin": ["/usr/bin"],
  "/var/run": ["/run"],
  "/var/lock": ["/run/lock"],
  "/var/tmp": ["/tmp"],
  "/home": ["/var/home"],
  "/root": ["/var/roothome"],
  "/srv": ["/var/srv"],
  "/opt": ["/var/opt"],
  "/usr/local": ["/var/usrlocal"],
};

/**
 * The path with the usual links on its way followed; its last part is not. What is not there is taken as it is named.
 *
 * @param isReplaced whether there will be a folder in place of a link: nothing below it is looked at
 *
 * Throws a Failure "invalid" for any other link on the way, wherever it leads, and for what is no folder.
 */
export async function followUsualLinks(
  root: string,
  path: string,
  isReplaced: (path: string) => boolean = () => false,
): Promise<string> {
  const parts = path.split("/").slice(1);
  const last = parts.pop() ?? "";
  let at = "";
  for (const [depth, part] of parts.entries()) {
    const next = `${at}/${part}`;
    if (isReplaced(next)) return [at, ...parts.slice(depth), last].join("/");
    const found = await lstat(join(root, next)).catch((error: unknown) => {
      if (errorCodeOf(error) === "ENOENT") return undefined;
      throw error;
    });
    at = found?.isSymbolicLink() === true ? leadingTo(next, await readlink(join(root, next))) : next;
    if (found !== undefined && !found.isDirectory() && !found.isSymbolicLink())
      throw new Failure("invalid", `nothing can be placed at ${path} of the new system: ${next} is no folder`);
  }
  return `${at}/${last}`;
}

function leadingTo(link: string, target: string): string {
  const to = posix.resolve(posix.dirname(link), target);
  if (Object.hasOwn(usualLinks, link) && usualLinks[link]?.includes(to)) return to;
  throw new Failure(
    "invalid",
    `the image has a link at ${link}, which leads to ${JSON.stringify(target)}: Pallet follows only usual ones, so that nothing ` +
      "is placed elsewhere; name the folder itself, or mend the image",
  );
}
