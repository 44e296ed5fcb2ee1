import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "../proto/linux/leashed-execa.ts";

const local = { cwd: "proto", preferLocal: true, localDir: "." } as const;

/**
 * What reflection describes: our contracts, and those of the services that every gRPC server should have, from the
 * packages that serve them.
 */
const described = [
  ["."],
  ["../node_modules/grpc-health-check/proto"],
  // The package has the .proto files of its own tests beside them.
  ["../node_modules/@grpc/reflection/build/proto", "--path", "../node_modules/@grpc/reflection/build/proto/grpc"],
];

/** What agent and controller say to each other. */
const spoken = [".", "--path", "pallet/v1/agent.proto", "--path", "pallet/v1/enrollment.proto"];

/**
 * Writes what is generated from proto/pallet/ into `<directory>/gen`: ts-proto's code, and the compiled descriptors.
 *
 * The descriptors are for gRPC reflection. Those that @grpc/proto-loader derives (protobufjs's toDescriptor) lack the
 * imports, the "optional" of fields and qualified type names, and `buf curl` finds no service in them.
 */
export async function generateCode(directory: string): Promise<void> {
  await execa("buf", ["generate", "--output", path.resolve(directory)], local);
  await writeContract(directory);
  // Serialized messages one after the other are one message with the repeated fields of all (protobuf encoding, "Last
  // One Wins").
  const sets = await Promise.all(described.map(compile));
  const lines =
    Buffer.concat(sets)
      .toString("base64")
      .match(/.{1,116}/g) ?? [];
  await writeFile(
    path.join(directory, "gen/file-descriptor-set.ts"),
    [
      "// Made by scripts/generate-code.ts (buf build). DO NOT EDIT.",
      "",
      "/** A serialized google.protobuf.FileDescriptorSet: pallet/v1/*.proto and what they import, gRPC health and reflection. */",
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

/**
 * Writes the mark of the contract between agent and controller: a digest of its files and of what they import, without
 * comments. It stands in the agent as text, where a controller finds it without running the agent.
 */
async function writeContract(directory: string): Promise<void> {
  const digest = createHash("sha256")
    .update(await compile(spoken))
    .digest("hex")
    .slice(0, 16);
  await writeFile(
    path.join(directory, "gen/contract.ts"),
    [
      "// Made by scripts/generate-code.ts. DO NOT EDIT.",
      "",
      "/** The contract that this program implements; it changes with every change of what agent and controller say to each other. */",
      `export const contract = "pallet-contract-${digest}";`,
      "",
    ].join("\n"),
  );
}

/** The serialized FileDescriptorSet of an input of `buf build`. */
async function compile(input: readonly string[]): Promise<Uint8Array> {
  const { stdout } = await execa(
    "buf",
    ["build", ...input, "--as-file-descriptor-set", "--exclude-source-info", "--output", "-#format=binpb"],
    { ...local, encoding: "buffer" },
  );
  return stdout;
}
