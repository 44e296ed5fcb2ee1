import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { runTool } from "../../controller/artefacts/run-tool.ts";
import { type DebianPackage, type PackagedFile, scriptNames } from "./debian-package.ts";
import { renderControl } from "./render-control.ts";

/**
 * xz's fastest level: of the controller's 112 MB it makes 35 MB in 15 s, level 3 31 MB in 61 s. zstd would be faster
 * still, but Debian 12's lintian does not know it. What is compressed already gets as little more as there is: xz takes
 * a minute for nothing.
 */
const compressions = { programs: ["-Zxz", "-z0"], compressed: ["-Zgzip", "-z1"] } as const;

/**
 * Makes a package's .deb file, `<name>_<version>_<architecture>.deb`, and returns its path. The same package and time give the
 * same bytes.
 *
 * @param epoch time of everything in it, in seconds since the epoch
 */
export async function buildDeb(
  debianPackage: DebianPackage,
  { outDirectory, epoch }: { readonly outDirectory: string; readonly epoch: number },
): Promise<string> {
  const { name, version, architecture, files, configurationFiles = [], scripts } = debianPackage;
  await mkdir(outDirectory, { recursive: true });
  // Beside the result, so that a rename is enough, and no /tmp in memory has to hold it.
  const work = await mkdtemp(path.join(outDirectory, `.${name}-`));
  try {
    const root = path.join(work, "root");
    const control = path.join(root, "DEBIAN");
    await makeFolder(work, "root/DEBIAN");
    const sums: string[] = [];
    let bytes = 0;
    for (const file of files.toSorted((one, other) => (one.path < other.path ? -1 : 1))) {
      const { size, md5 } = await placeFile(root, file);
      // What a block of a filesystem takes (Debian policy 5.6.20).
      bytes += Math.ceil(size / 1024) * 1024;
      if (!configurationFiles.includes(file.path)) sums.push(`${md5}  ${file.path.slice(1)}\n`);
    }
    const place = (name: string, text: string, mode = 0o644): Promise<unknown> =>
      placeFile(control, { path: name, content: { text }, mode });
    await place("md5sums", sums.join(""));
    await place("control", renderControl(debianPackage, bytes));
    if (configurationFiles.length > 0) await place("conffiles", configurationFiles.map((file) => `${file}\n`).join(""));
    for (const script of scriptNames) {
      const text = scripts[script];
      if (text !== undefined) await place(script, text, 0o755);
    }
    const fileName = `${name}_${version}_${architecture}.deb`;
    const built = path.join(work, fileName);
    await runTool(
      `${fileName} could not be built`,
      ["dpkg-deb", "--root-owner-group", ...compressions[debianPackage.holds], "--build", root, built],
      {
        env: { SOURCE_DATE_EPOCH: String(epoch) },
      },
    );
    const deb = path.join(outDirectory, fileName);
    await rename(built, deb);
    return deb;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function placeFile(
  root: string,
  { path: name, content, mode = 0o644 }: PackagedFile,
): Promise<{ readonly size: number; readonly md5: string }> {
  const place = path.join(root, name);
  await makeFolder(root, path.dirname(name));
  if ("file" in content) await copyFile(content.file, place);
  else await writeFile(place, "text" in content ? content.text : content.bytes);
  await chmod(place, mode);
  const md5 = createHash("md5")
    .update(await readFile(place))
    .digest("hex");
  return { size: (await stat(place)).size, md5 };
}

/** Makes a folder, and those on the way to it, for everybody to read, whatever the umask. */
async function makeFolder(top: string, folder: string): Promise<void> {
  let at = top;
  for (const name of path.join("/", folder).split("/")) {
    at = path.join(at, name);
    await mkdir(at, { recursive: true });
    await chmod(at, 0o755);
  }
}
