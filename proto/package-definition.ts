import { fileURLToPath } from "node:url";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { fileDescriptorSet } from "./gen/file-descriptor-set.ts";

/** Folder that holds pallet/v1/*.proto. */
export const protoRoot: string = fileURLToPath(new URL(".", import.meta.url));

/** The files that declare the services; they import the others. */
export const serviceFiles = [
  "pallet/v1/agent.proto",
  "pallet/v1/enrollment.proto",
  "pallet/v1/controller.proto",
] as const;

/**
 * Loads the contracts at run time: for reflection, and as the second view in the contract tests.
 * Field names are kept as in the files, 64-bit integers become strings, and every field has its default.
 */
export function loadPackageDefinition(files: readonly string[] = serviceFiles): PackageDefinition {
  return loadSync([...files], {
    includeDirs: [protoRoot],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
}

/**
 * The contracts in the form that @grpc/reflection takes, with the descriptors that Buf compiled in the place of those
 * that proto-loader derives: in the latter imports and qualified names are missing, and `buf curl` finds no service.
 */
export function reflectionDefinition(): PackageDefinition {
  const files = fromBinary(FileDescriptorSetSchema, fileDescriptorSet).file.map((file) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, file)),
  );
  const definition = loadPackageDefinition();
  return Object.fromEntries(
    Object.entries(definition).map(([name, entry]) => [
      name,
      "fileDescriptorProtos" in entry ? { ...entry, fileDescriptorProtos: files } : entry,
    ]),
  ) as PackageDefinition;
}
