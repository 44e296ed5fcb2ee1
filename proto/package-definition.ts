import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { PackageDefinition } from "@grpc/proto-loader";
import { fileDescriptorSet } from "./gen/file-descriptor-set.ts";

/** Tag of `repeated FileDescriptorProto file = 1` in google.protobuf.FileDescriptorSet (descriptor.proto). */
const FILE_TAG = (1 << 3) | 2;

/** The services that both programs serve beside their own; reflection lists and describes them too. */
export const standardServices: readonly string[] = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
];

/**
 * The contracts, and those of the standard services, in the form that @grpc/reflection takes: it reads the serialized
 * files of the definition and nothing else. They are those that Buf compiled, cut out of the set as they are, because proto-loader would derive its own, in
 * which imports and qualified names are missing, so that `buf curl` finds no service. And they are in the program, so
 * that no .proto file is needed where it runs.
 */
export function reflectionDefinition(): PackageDefinition {
  const fileDescriptorProtos = splitDescriptorSet(fileDescriptorSet);
  // One entry carries them all; an enum's is the kind of entry that needs nothing beside them.
  return { contracts: { format: "Protocol Buffer 3 EnumDescriptorProto", type: {}, fileDescriptorProtos } };
}

/** The serialized FileDescriptorProtos of a serialized FileDescriptorSet, in its order. */
function splitDescriptorSet(set: Uint8Array): Buffer[] {
  const files: Buffer[] = [];
  const reader = new BinaryReader(set);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === FILE_TAG) files.push(Buffer.from(reader.bytes()));
    else reader.skip(tag & 7);
  }
  return files;
}
