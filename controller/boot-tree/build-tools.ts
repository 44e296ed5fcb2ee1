import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";

/** Something that must be on this machine: a program of the search path, or a file. */
export interface BuildTool {
  readonly program?: string;
  readonly file?: string;
  /** The Debian package that has it. */
  readonly package: string;
}

/** What fetching from Debian's archive takes. */
export const archiveTools: readonly BuildTool[] = [
  { program: "apt-get", package: "apt" },
  { program: "dpkg-deb", package: "dpkg" },
  { file: "/usr/share/keyrings/debian-archive-keyring.gpg", package: "debian-archive-keyring" },
];

/** What building U-Boot takes, apart from the compiler of the target. */
export const uBootTools: readonly BuildTool[] = [
  { program: "dpkg-source", package: "dpkg-dev" },
  { program: "make", package: "make" },
  { program: "gcc", package: "gcc" },
  { program: "bison", package: "bison" },
  { program: "flex", package: "flex" },
  { program: "bc", package: "bc" },
  { program: "xxd", package: "xxd" },
  { file: "/usr/include/stdio.h", package: "libc6-dev" },
  { file: "/usr/include/openssl/evp.h", package: "libssl-dev" },
];

/** Throws Failure "tool-failed" naming everything that is missing, and the command that installs it. */
export async function requireTools(tools: readonly BuildTool[], searchPath = process.env["PATH"] ?? ""): Promise<void> {
  const folders = searchPath.split(":").filter((folder) => folder !== "");
  const missing: BuildTool[] = [];
  for (const tool of tools) {
    const places =
      tool.program === undefined ? [tool.file ?? ""] : folders.map((folder) => join(folder, `${tool.program}`));
    const mode = tool.program === undefined ? constants.R_OK : constants.X_OK;
    const found = await Promise.all(
      places.map((place) =>
        access(place, mode).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (!found.includes(true)) missing.push(tool);
  }
  if (missing.length === 0) return;
  const names = missing.map(({ program, file }) => program ?? file).join(", ");
  const packages = [...new Set(missing.map((tool) => tool.package))].join(" ");
  throw new Failure("tool-failed", `this machine lacks ${names}; install with: apt-get install ${packages}`);
}
