/** Architectures of Debian's that packages are made for. */
export const debianArchitectures = ["amd64", "arm64"] as const;

export type DebianArchitecture = (typeof debianArchitectures)[number];

/** What is at a path of a package. Everything belongs to root. */
export interface PackagedFile {
  /** Absolute. */
  readonly path: string;
  readonly content: { readonly text: string } | { readonly bytes: Uint8Array } | { readonly file: string };
  /** Default 0o644. */
  readonly mode?: number;
}

/** Names of dpkg's maintainer scripts. */
export const scriptNames = ["preinst", "postinst", "prerm", "postrm"] as const;

/** A binary package, before it is one file. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: DebianArchitecture | "all";
  readonly summary: string;
  /** Paragraphs of the long description. */
  readonly description: readonly string[];
  readonly depends: readonly string[];
  readonly recommends?: readonly string[];
  readonly suggests?: readonly string[];
  readonly files: readonly PackagedFile[];
  /** What most of it is. */
  readonly holds: "programs" | "compressed";
  /** Paths of those that dpkg keeps as an administrator has changed them. */
  readonly configurationFiles?: readonly string[];
  readonly scripts: Readonly<Partial<Record<(typeof scriptNames)[number], string>>>;
}
