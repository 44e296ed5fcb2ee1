import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { PackageDefinition } from "@grpc/proto-loader";
import { fileDescriptorSet } from "./gen/file-descriptor-set.ts";

/** The services that both programs serve beside their own; reflection lists and describes them too. */
export const standardServices: readonly string[] = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
];

/**
 * The contracts, and those of the standard services, in the form that @grpc/reflection takes: it reads the serialized
 * files of the definition and nothing else. They are those that Buf compiled, cut out of the set as they are, because
 * proto-loader would derive its own, in which imports and qualified names are missing, so that `buf curl` finds no
 * service. And they are in the program, so that no .proto file is needed where it runs.
 *
 * @param services only the files that declare these services, and what they import; every file unless given
 */
export function reflectionDefinition(services?: readonly string[]): PackageDefinition {
  const files = splitDescriptorSet(fileDescriptorSet);
  const fileDescriptorProtos = services === undefined ? files : selectFiles(files, services);
  // One entry carries them all; an enum's is the kind of entry that needs nothing beside them.
  return { contracts: { format: "Protocol Buffer 3 EnumDescriptorProto", type: {}, fileDescriptorProtos } };
}

/** The serialized FileDescriptorProtos of a serialized FileDescriptorSet (its field 1), in its order. */
function splitDescriptorSet(set: Uint8Array): Buffer[] {
  return fieldsOf(set, 1).map((file) => Buffer.from(file));
}

/** What decides whether a FileDescriptorProto is needed. */
interface FileOutline {
  readonly name: string;
  readonly imports: readonly string[];
  /** Full names. */
  readonly services: readonly string[];
}

function selectFiles(files: readonly Buffer[], services: readonly string[]): Buffer[] {
  const outlines = files.map((bytes) => ({ bytes, ...outlineOf(bytes) }));
  const wanted = new Set<string>();
  const want = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const each of outlines.find((file) => file.name === name)?.imports ?? []) want(each);
  };
  for (const file of outlines) if (file.services.some((each) => services.includes(each))) want(file.name);
  return outlines.filter(({ name }) => wanted.has(name)).map(({ bytes }) => bytes);
}

/**
 * Reads name = 1, package = 2, dependency = 3 and service = 6 (ServiceDescriptorProto, whose name is 1),
 * descriptor.proto.
 */
function outlineOf(file: Uint8Array): FileOutline {
  const texts = (bytes: Uint8Array, field: number): string[] =>
    fieldsOf(bytes, field).map((each) => new TextDecoder().decode(each));
  const [scope = ""] = texts(file, 2);
  return {
    name: texts(file, 1)[0] ?? "",
    imports: texts(file, 3),
    services: fieldsOf(file, 6).map((service) => `${scope}.${texts(service, 1)[0]}`),
  };
}

/** The values of a length-delimited field of a serialized message. */
function fieldsOf(message: Uint8Array, field: number): Uint8Array[] {
  const values: Uint8Array[] = [];
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === field) values.push(reader.bytes());
    else reader.skip(wireType);
  }
  return values;
}
