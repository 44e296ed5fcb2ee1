import { fileURLToPath } from "node:url";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";

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
