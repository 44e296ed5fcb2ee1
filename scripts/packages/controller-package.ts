import { planControllerRelations } from "./controller-needs.ts";
import type { DebianArchitecture, DebianPackage, PackagedFile } from "./debian-package.ts";
import { planDocuments } from "./documents.ts";
import { chooseUnitRoles } from "./packaged-units.ts";
import { fillScripts } from "./scripts.ts";

/** What the controller's package is made of. */
export interface ControllerParts {
  readonly version: string;
  readonly architecture: DebianArchitecture;
  /** Path of the program for that architecture. */
  readonly program: string;
  /** Of collectUnits. */
  readonly units: readonly PackagedFile[];
  /** Below /usr/share. */
  readonly shared: readonly PackagedFile[];
  /** The configuration of one that was not set up yet. */
  readonly config: string;
  /** Compressed. */
  readonly changelog: Uint8Array;
  /** Maintainer scripts and overrides of lintian, by file name. */
  readonly texts: Readonly<Record<string, string>>;
}

const configFile = "/etc/pallet/pallet.yaml";

/** The package pallet-controller. */
export function planControllerPackage(parts: ControllerParts): DebianPackage {
  const { version, architecture, program, units, shared, changelog, config, texts } = parts;
  const { all, enabled } = chooseUnitRoles(units);
  return {
    name: "pallet-controller",
    version,
    architecture,
    summary: "controller of a rack of network-booted Raspberry Pis",
    description: [
      "Pallet turns a crate of blank Raspberry Pis, a switch and one management machine into a datacenter that nobody has " +
        "to touch: it installs an operating system on every SD card over the network, and succeeds only when each board has " +
        "proved that it runs that system from its own card.",
      "This package has the program of the management machine. It serves nothing before it was told the rack's network " +
        'interface, by "controller setup".',
    ],
    ...planControllerRelations(),
    holds: "programs",
    files: [
      { path: "/usr/bin/controller", content: { file: program }, mode: 0o755 },
      { path: configFile, content: { text: config } },
      ...units,
      ...shared,
      ...planDocuments("pallet-controller", { changelog, overrides: texts["controller.overrides"] }),
    ],
    configurationFiles: [configFile],
    scripts: fillScripts("controller", texts, {
      VERSION: version,
      ALL: all.join(" "),
      ENABLED: enabled.join(" "),
    }),
  };
}
