import { writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";

const local = { cwd: "proto", preferLocal: true, localDir: "." } as const;

/**
 * Writes what is generated from proto/pallet/ into `<directory>/gen`: ts-proto's code, and the compiled descriptors.
 *
 * The descriptors are for gRPC reflection. Those that @grpc/proto-loader derives (protobufjs's toDescriptor) lack the
 * imports, the "optional" of fields and qualified type names, and `buf curl` finds no service in them.
 */
export async function generateCode(directory: string): Promise<void> {
  await execa("buf", ["generate", "--output", path.resolve(directory)], local);
  const { stdout } = await execa(
    "buf",
    ["build", ".", "--as-file-descriptor-set", "--exclude-source-info", "--output", "-#format=binpb"],
    { ...local, encoding: "buffer" },
  );
  const lines =
    Buffer.from(stdout)
      .toString("base64")
      .match(/.{1,116}/g) ?? [];
  await writeFile(
    path.join(directory, "gen/file-descriptor-set.ts"),
    [
      "// Made by scripts/generate-code.ts (buf build). DO NOT EDIT.",
      "",
      "/** A serialized google.protobuf.FileDescriptorSet of pallet/v1/*.proto and what they import. */",
      "export const fileDescriptorSet: Uint8Array = Buffer.from(",
      "  [",
      ...lines.map((line) => `    "${line}",`),
      '  ].join(""),',
      '  "base64",',
      ");",
      "",
    ].join("\n"),
  );
}
