import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import type { Plugin } from "esbuild";
import type { parse } from "protobufjs";

/**
 * The files of packages that load a .proto file beside them when they are used, and that file. In a bundle nothing lies
 * beside them, so the call is replaced by the same contract as proto-loader's own JSON.
 */
const loaders = [
  {
    module: "@grpc/reflection/build/src/implementations/reflection-v1.js",
    protoFile: "@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto",
    call: "protoLoader.loadSync(protoPath, ",
    replacement: "protoLoader.fromJSON(",
    keepCase: false,
  },
  {
    module: "@grpc/reflection/build/src/implementations/reflection-v1alpha.js",
    protoFile: "@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto",
    call: "protoLoader.loadSync(protoPath, ",
    replacement: "protoLoader.fromJSON(",
    keepCase: false,
  },
  {
    module: "grpc-health-check/build/src/health.js",
    protoFile: "grpc-health-check/proto/health/v1/health.proto",
    call: "(0, proto_loader_1.loadSync)('health/v1/health.proto', ",
    replacement: "(0, proto_loader_1.fromJSON)(",
    keepCase: true,
  },
] as const;

/** An esbuild plugin that puts the .proto files of @grpc/reflection and grpc-health-check into the bundle. */
export function inlineProtos(modulesDirectory: string): Plugin {
  return {
    name: "inline-protos",
    setup(build) {
      const waiting = new Set<string>(loaders.map(({ module }) => module));
      build.onLoad({ filter: /[/\\](reflection-v1|reflection-v1alpha|health)\.js$/ }, async ({ path: file }) => {
        const loader = loaders.find(({ module }) => path.relative(modulesDirectory, file) === path.normalize(module));
        if (loader === undefined) return undefined;
        waiting.delete(loader.module);
        const [source, proto] = await Promise.all([
          readFile(file, "utf8"),
          readFile(path.join(modulesDirectory, loader.protoFile), "utf8"),
        ]);
        return { contents: inlineProto({ source, proto, ...loader }), loader: "js" };
      });
      build.onEnd(() => ({
        errors: [...waiting].map((module) => ({
          text: `${module} is not in the bundle: its .proto file is not either`,
        })),
      }));
    },
  };
}

/**
 * The source with its one `call`, which loads a .proto file by path, made a call with the contract itself.
 *
 * Throws when the call is not there exactly once: the package has changed, and this file must follow.
 */
export function inlineProto(given: {
  readonly source: string;
  readonly proto: string;
  readonly call: string;
  readonly replacement: string;
  readonly module: string;
  /** proto-loader's option of that name in the call: in JSON the names of the fields are final. */
  readonly keepCase: boolean;
}): string {
  const parts = given.source.split(given.call);
  if (parts.length !== 2) throw new Error(`${given.module} does not have "${given.call}" exactly once`);
  const { root } = protobufParse(given.proto, { keepCase: given.keepCase });
  return `${parts[0]}${given.replacement}${JSON.stringify(root.toJSON())}, ${parts[1]}`;
}

// protobufjs is not a dependency of ours but of proto-loader, whose view of a .proto file this must be.
const protobufParse: typeof parse = createRequire(import.meta.resolve("@grpc/proto-loader"))("protobufjs").parse;
