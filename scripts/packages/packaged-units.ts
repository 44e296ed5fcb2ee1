import { glob, readFile } from "node:fs/promises";
import path from "node:path";
import type { PackagedFile } from "./debian-package.ts";

/** Where systemd looks for each kind of file that the sources have for it; all are called pallet-…, or pallet. */
const places: Readonly<Record<string, (name: string) => string>> = {
  service: (name) => `/usr/lib/systemd/system/${name}.service`,
  socket: (name) => `/usr/lib/systemd/system/${name}.socket`,
  timer: (name) => `/usr/lib/systemd/system/${name}.timer`,
  sysusers: (name) => `/usr/lib/sysusers.d/${name}.conf`,
  tmpfiles: (name) => `/usr/lib/tmpfiles.d/${name}.conf`,
};

/** What in a unit is different where the package has put the program and its documentation. */
export function renderPackagedUnit(text: string): string {
  return text
    .replaceAll("/usr/local/bin/controller", "/usr/bin/controller")
    .replaceAll("file:/usr/share/doc/pallet/README.md", "file:/usr/share/doc/pallet-controller/README.md");
}

/** Every file for systemd that is among the controller's sources. */
export async function collectUnits(repository: string): Promise<readonly PackagedFile[]> {
  const kinds = Object.keys(places).join(",");
  const found = await Array.fromAsync(glob(`controller/**/{pallet,pallet-*}.{${kinds}}`, { cwd: repository }));
  return Promise.all(
    found.toSorted().map(async (file) => {
      const { name, ext } = path.parse(file);
      const text = renderPackagedUnit(await readFile(path.join(repository, file), "utf8"));
      const place = places[ext.slice(1)];
      if (place === undefined) throw new Error(`${file} has no place in a package`);
      return { path: place(name), content: { text } };
    }),
  );
}

/** What the maintainer scripts do with each unit of the package. */
export interface UnitRoles {
  readonly all: readonly string[];
  /** Enabled when the package is installed first. */
  readonly enabled: readonly string[];
}

/**
 * Decides what the units are to the maintainer scripts. A controller must not serve a network that it knows nothing of:
 * "controller setup" enables it. Everything else that can be enabled is.
 */
export function chooseUnitRoles(files: readonly PackagedFile[]): UnitRoles {
  const units = files.filter(({ path: file }) => file.startsWith("/usr/lib/systemd/system/"));
  const all = units.map(({ path: file }) => path.basename(file));
  const enabled = units.flatMap(({ path: file, content }) =>
    "text" in content && /^\[Install\]$/m.test(content.text) && path.basename(file) !== "pallet-controller.service"
      ? [path.basename(file)]
      : [],
  );
  return { all, enabled };
}
