import { mkdir, readdir, readlink, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { execa } from "../../proto/linux/leashed-execa.ts";

const folders = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/**
 * Fills a folder with links to the programs that a minimal Debian has on its search path after these packages were
 * installed without recommendations: those of every essential package, of these, and of all that they depend on.
 */
export async function linkDebianPrograms(folder: string, packages: readonly string[]): Promise<void> {
  const fields = ["Package", "Essential", "Pre-Depends", "Depends", "Provides", "db:Status-Status"];
  const format = `${fields.map((name) => `\${${name}}`).join("\t")}\n`;
  const { stdout } = await execa("dpkg-query", ["--show", `--showformat=${format}`]);
  const needed = new Map<string, string>();
  const providers = new Map<string, string[]>();
  const wanted = [...packages];
  for (const line of stdout.split("\n")) {
    const [name = "", essential, before = "", depends = "", provides = "", status] = line.split("\t");
    if (status !== "installed") continue;
    needed.set(name, `${before}, ${depends}`);
    if (essential === "yes") wanted.push(name);
    for (const provided of [name, ...namesIn(provides)])
      providers.set(provided, [...(providers.get(provided) ?? []), name]);
  }
  const closure = new Set<string>();
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (closure.has(name)) continue;
    if (needed.has(name)) closure.add(name);
    for (const dependency of namesIn(needed.get(name) ?? "")) wanted.push(...(providers.get(dependency) ?? []));
  }
  const listing = await execa("dpkg-query", ["--listfiles", ...closure]);
  const files = new Set(listing.stdout.split("\n"));
  await mkdir(folder, { recursive: true });
  for (const from of folders)
    for (const name of await readdir(from).catch(() => [])) {
      const path = join(from, name);
      const owned = files.has(path) || files.has(path.replace(/^\/usr/, "")) || (await isAlternative(path, files));
      if (owned) await symlink(path, join(folder, name)).catch(ignoreExisting);
    }
}

/** Names of packages in a field of a control file (deb-control(5)), without versions, each of the alternatives. */
function namesIn(field: string): string[] {
  return field
    .split(/[,|]/)
    .map((word) => word.trim().replace(/[\s(:[].*$/, ""))
    .filter((name) => name !== "");
}

/** Whether update-alternatives(1) made the link, to a program of these packages. */
async function isAlternative(path: string, files: ReadonlySet<string>): Promise<boolean> {
  const link = await readlink(path).catch(() => "");
  if (!link.startsWith("/etc/alternatives/")) return false;
  const program = await readlink(link).catch(() => "");
  return files.has(program) || files.has(program.replace(/^\/usr/, "")) || files.has(`/usr/bin/${basename(program)}`);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
