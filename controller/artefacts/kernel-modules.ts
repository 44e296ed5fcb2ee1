/** A kernel's modules and their dependencies: its modules.dep(5) and modules.builtin. */
export interface ModuleIndex {
  /** Path of each module by its name; paths are relative to /lib/modules/<release>. */
  readonly paths: ReadonlyMap<string, string>;
  /** Paths of the modules that a module (by path) needs, as modules.dep lists them. */
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
  /** Names of the modules that are part of the kernel itself. */
  readonly builtin: ReadonlySet<string>;
}

/** The name that modprobe(8) and the kernel use for the module in a file. */
export function moduleName(path: string): string {
  return path
    .replace(/^.*\//, "")
    .replace(/\.ko(\.\w+)?$/, "")
    .replaceAll("-", "_");
}

/** Reads modules.dep(5) ("path: path…" a line) and modules.builtin (one path per line). */
export function parseModuleIndex(modulesDep: string, modulesBuiltin: string): ModuleIndex {
  const dependencies = new Map<string, readonly string[]>();
  for (const line of modulesDep.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    dependencies.set(
      line.slice(0, colon),
      line
        .slice(colon + 1)
        .split(" ")
        .filter(Boolean),
    );
  }
  return {
    paths: new Map([...dependencies.keys()].map((path) => [moduleName(path), path])),
    dependencies,
    builtin: new Set(modulesBuiltin.split("\n").filter(Boolean).map(moduleName)),
  };
}

/**
 * Paths of the named modules and of all that they need, each after what it needs, so that insmod(8) takes them in
 * this order. Throws when the kernel has a module of that name neither built in nor as a file.
 */
export function orderModules(index: ModuleIndex, names: readonly string[]): readonly string[] {
  const ordered = new Set<string>();
  const add = (path: string, above: readonly string[]): void => {
    if (ordered.has(path) || above.includes(path)) return;
    for (const dependency of index.dependencies.get(path) ?? []) add(dependency, [...above, path]);
    ordered.add(path);
  };
  for (const name of names) {
    const path = index.paths.get(name);
    if (path !== undefined) add(path, []);
    else if (!index.builtin.has(name)) throw new Error(`the kernel has no module ${name}`);
  }
  return [...ordered];
}
