import path from "node:path";
import { build } from "esbuild";
import { inlineProtos } from "./inline-protos.ts";
import type { Program } from "./programs.ts";

/**
 * The program and everything that it imports as one CommonJS file. The text depends on the sources alone: neither on
 * the folder that they lie in nor on the machine.
 */
export async function bundle(repository: string, program: Program): Promise<Uint8Array> {
  const result = await build({
    absWorkingDir: repository,
    entryPoints: [program.entry],
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    minify: true,
    keepNames: true,
    legalComments: "none",
    charset: "utf8",
    write: false,
    plugins: [inlineProtos(path.join(repository, "node_modules"))],
    logLevel: "silent",
  });
  const [file] = result.outputFiles;
  if (file === undefined || result.warnings.length > 0) {
    throw new Error(`esbuild on ${program.entry}: ${result.warnings.map(({ text }) => text).join("; ")}`);
  }
  return file.contents;
}
