import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { runTool } from "./run-tool.ts";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** An apt with folders of its own: neither the sources nor the lists nor the architectures of this machine matter. */
export interface PrivateApt {
  /** Runs one of apt's programs; `attempt` says what failed if it does. Throws Failure "tool-failed" or "cancelled". */
  run(attempt: string, command: readonly [string, ...string[]], workingDirectory?: string): Promise<string>;
  /** What apt-cache(8) shows of the newest version of a package. Throws Failure "tool-failed" if there is none. */
  show(name: string): Promise<string>;
  /** Unpacks the files of a package into `into`. */
  unpack(name: string, version: string, into: string): Promise<void>;
}

/** A line of sources.list(5): packages signed by Debian's archive keys. Throws Failure "invalid". */
export function renderSource(
  kind: "deb" | "deb-src",
  { mirror, suite }: { readonly mirror: string; readonly suite: string },
  components: string,
): string {
  if (/\s/.test(mirror) || !/^[a-z0-9.-]+$/.test(suite))
    throw new Failure(
      "invalid",
      `"${mirror} ${suite}" is not a Debian archive; give a URL and a suite such as bookworm`,
    );
  return `${kind} [signed-by=${keyring}] ${mirror} ${suite} ${components}`;
}

/** Makes a folder one for `openPrivateApt`, and fetches the lists of its sources. */
export async function preparePrivateApt(
  folder: string,
  sources: readonly string[],
  signal: AbortSignal | undefined,
  architecture = "arm64",
): Promise<void> {
  for (const path of ["lists/partial", "cache/archives/partial"]) await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, "status"), "");
  await writeFile(join(folder, "sources.list"), `${sources.join("\n")}\n`);
  const attempt = "Debian's package lists could not be fetched";
  await runApt(folder, attempt, ["apt-get", "--quiet", "update"], { cwd: folder, signal, architecture });
}

/** Opens a folder that `preparePrivateApt` made. */
export function openPrivateApt(
  folder: string,
  {
    log,
    signal,
    architecture = "arm64",
  }: {
    readonly log: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
    /** Debian's word for it. */
    readonly architecture?: string;
  },
): PrivateApt {
  const run: PrivateApt["run"] = (attempt, command, cwd = folder) =>
    runApt(folder, attempt, command, { cwd, signal, architecture });
  return {
    run,
    show: (name) =>
      run(`Debian's archive has no ${name}; give another --suite or --mirror`, [
        "apt-cache",
        "show",
        "--no-all-versions",
        name,
      ]),
    async unpack(name, version, into) {
      log(`fetching ${name} ${version}`);
      const download = await mkdtemp(join(into, ".download-"));
      const attempt = `${name} ${version} could not be fetched (a newer one may have replaced it: --refresh)`;
      await run(attempt, ["apt-get", "--quiet", "download", `${name}=${version}`], download);
      const file = (await readdir(download)).find((each) => each.endsWith(".deb"));
      if (file === undefined) throw new Failure("tool-failed", `${attempt}: apt brought no .deb file`);
      await runTool(`${file} could not be unpacked`, ["dpkg-deb", "--extract", join(download, file), into], { signal });
      await rm(download, { recursive: true });
    },
  };
}

function runApt(
  folder: string,
  attempt: string,
  [program, ...args]: readonly [string, ...string[]],
  {
    cwd,
    signal,
    architecture,
  }: { readonly cwd: string; readonly signal: AbortSignal | undefined; readonly architecture: string },
): Promise<string> {
  return runTool(attempt, [program, ...aptOptions(folder, architecture), ...args], { cwd, signal });
}

/** apt.conf(5): everything that apt reads and writes is in the folder. */
function aptOptions(folder: string, architecture: string): readonly string[] {
  const settings = {
    "Dir::Etc::SourceList": join(folder, "sources.list"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::Etc::Preferences": "/dev/null",
    "Dir::Etc::PreferencesParts": "/dev/null",
    "Dir::State::Lists": join(folder, "lists"),
    "Dir::State::Status": join(folder, "status"),
    "Dir::Cache": join(folder, "cache"),
    "APT::Architecture": architecture,
    "APT::Architectures": architecture,
    "Acquire::Languages": "none",
    // The folder belongs to the user who runs this; the user _apt could not write there.
    "APT::Sandbox::User": "",
  };
  return Object.entries(settings).map(([name, value]) => `--option=${name}=${value}`);
}

/** The version in the first paragraph of what apt-cache prints. */
export function newestVersion(text: string, name: string): string {
  const version = /^Version: (\S+)$/m.exec(text)?.[1];
  if (version === undefined)
    throw new Failure("tool-failed", `Debian's archive has no ${name}; give another --suite or --mirror`);
  return version;
}
