import path from "node:path";
import { build } from "esbuild";
import { inlineNativeModules, type NativeModule } from "./inline-native-modules.ts";
import { inlineProtos } from "./inline-protos.ts";
import { inlineSourceFiles } from "./inline-source-files.ts";
import type { Program } from "./programs.ts";
import { slimPackages } from "./slim-packages.ts";

/**
 * The program and everything that it imports as one CommonJS file, with the native modules of one architecture in it.
 * The text depends on the sources alone: neither on the folder that they are in nor on the machine.
 *
 * @param options.readable with the names of the sources, for whoever reads a stack trace; default: as short as it gets
 */
export async function bundle(
  repository: string,
  program: Program,
  options: { readonly addons: ReadonlyMap<NativeModule, string>; readonly readable?: boolean },
): Promise<Uint8Array> {
  const modules = path.join(repository, "node_modules");
  const result = await build({
    absWorkingDir: repository,
    entryPoints: [program.entry],
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    minify: options.readable !== true,
    legalComments: "none",
    charset: "utf8",
    write: false,
    plugins: [inlineProtos(modules), inlineSourceFiles, inlineNativeModules(options.addons), slimPackages(modules)],
    logLevel: "silent",
  });
  const [file] = result.outputFiles;
  if (file === undefined || result.warnings.length > 0) {
    throw new Error(`esbuild on ${program.entry}: ${result.warnings.map(({ text }) => text).join("; ")}`);
  }
  return file.contents;
}
