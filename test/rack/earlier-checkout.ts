import { mkdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { checkout } from "../programs/checkout.ts";

/** The commit from which on agents and controllers of different versions work with each other. */
export const earlierCommit = "c5b210e";

/** Its agent, controller and contracts, kept here because a user's clone may be shallow. */
export const earlierArchive: string = path.join(checkout, `test/golden/skew/${earlierCommit}.tar.zst`);

/** The npm packages that the programs of both commits use: this checkout's. */
export const nodeModules: string = path.join(checkout, "node_modules");

/**
 * Unpacks agent and controller of the earlier commit into a folder below this one, and returns it.
 *
 * @param modules whether its npm packages are a link to this checkout's, or an empty folder to mount them on
 */
export async function unpackEarlier(folder: string, modules: "link" | "mountpoint"): Promise<string> {
  const earlier = path.join(folder, `${earlierCommit}-${modules}`);
  await mkdir(earlier);
  const tar = zstdDecompressSync(await readFile(earlierArchive));
  await execa("tar", ["--extract", "--no-same-owner", "--directory", earlier], { input: tar });
  const inside = path.join(earlier, "node_modules");
  if (modules === "link") await symlink(nodeModules, inside);
  else await mkdir(inside);
  return earlier;
}
