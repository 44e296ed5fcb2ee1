/** A program to build as a binary. */
export interface Program {
  /** Name of the file in dist/, without the platform. */
  readonly name: "agent" | "controller";
  /** The program's first file, from the top of the tree. */
  readonly entry: string;
}

export const programs: readonly Program[] = [
  { name: "agent", entry: "agent/main.ts" },
  { name: "controller", entry: "controller/main.ts" },
];

/** Architectures that binaries are made for, in Node's words. A Raspberry Pi can be the management machine too. */
export const architectures = ["arm64", "x64"] as const;

export type Architecture = (typeof architectures)[number];

/** Name of a program's file for one architecture. */
export function binaryName(program: Program, architecture: Architecture): string {
  return `${program.name}-linux-${architecture}`;
}
