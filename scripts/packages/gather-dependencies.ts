import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { openPrivateApt, preparePrivateApt, renderSource } from "../../controller/artefacts/private-apt.ts";
import type { Relations } from "./controller-needs.ts";
import { parseIndex, parseSimulation, renderStatus, selectMinimal } from "./debian-index.ts";
import type { DebianArchitecture } from "./debian-package.ts";

/**
 * Fetches what a package needs of Debian's archive and a minimal Debian lacks, also what apt would install because it is
 * recommended, and returns the names of the .deb files. Throws a Failure when the archive cannot be reached.
 */
export async function gatherDependencies(
  { depends, recommends }: Relations,
  options: {
    readonly architecture: DebianArchitecture;
    readonly suite: string;
    readonly mirror: string;
    /** For apt's lists and archives; made anew. */
    readonly workDirectory: string;
    readonly outDirectory: string;
    readonly log: (line: string) => void;
  },
): Promise<readonly string[]> {
  const { architecture, workDirectory: folder, outDirectory, log } = options;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await preparePrivateApt(folder, [renderSource("deb", options, "main")], undefined, architecture);
  const apt = openPrivateApt(folder, { log, architecture });
  const attempt = "Debian's packages could not be fetched";
  const index = parseIndex(await apt.run(attempt, ["apt-cache", "dumpavail"]));
  const install = ["--yes", "--no-install-recommends", "install"] as const;
  const minimal = await apt.run(attempt, ["apt-get", "--simulate", ...install, ...selectMinimal(index)]);
  await writeFile(path.join(folder, "status"), renderStatus(index, new Set(parseSimulation(minimal))));
  // Our own packages are not in the archive.
  const wanted = [...depends, ...recommends].filter((relation) => !relation.startsWith("pallet-"));
  await apt.run(attempt, ["apt-get", "--yes", "--download-only", "--install-recommends", "satisfy", wanted.join(", ")]);
  const archives = path.join(folder, "cache/archives");
  const names = (await readdir(archives)).filter((name) => name.endsWith(".deb"));
  await mkdir(outDirectory, { recursive: true });
  for (const name of names) await copyFile(path.join(archives, name), path.join(outDirectory, name));
  return names;
}
