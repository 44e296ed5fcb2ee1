// The views of the contracts that the tests hold against each other.
import { readdir } from "node:fs/promises";
import path from "node:path";
import { create, createFileRegistry, type DescField, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import {
  loadSync,
  type MessageTypeDefinition,
  type PackageDefinition,
  type ServiceDefinition,
} from "@grpc/proto-loader";
import { execa } from "execa";

const repository = path.resolve(import.meta.dirname, "../..");

/** What ts-proto generates for a message. */
export interface GeneratedCodec {
  encode(value: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  fromJSON(json: unknown): unknown;
  toJSON(value: unknown): unknown;
}

/** What ts-proto generates for an RPC. */
export interface GeneratedMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: unknown) => Buffer;
  readonly responseSerialize: (value: unknown) => Buffer;
}

/** The contracts as Buf's own compiler sees them: the reference. */
export async function compileByBuf(): Promise<FileRegistry> {
  const { stdout } = await execa("buf", ["build", "proto", "--output", "-#format=binpb"], {
    cwd: repository,
    preferLocal: true,
    localDir: repository,
    encoding: "buffer",
  });
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, stdout));
}

/** The files that nothing imports: those that declare the services, and the one of what travels over HTTP. */
const rootFiles = [
  "pallet/v1/agent.proto",
  "pallet/v1/enrollment.proto",
  "pallet/v1/controller.proto",
  "pallet/v1/pack.proto",
];

/**
 * The contracts as @grpc/proto-loader sees them. Field names are kept as in the files, 64-bit integers become strings,
 * and every field has its default.
 */
export function loadByProtoLoader(): { readonly definition: PackageDefinition; readonly registry: FileRegistry } {
  const definition = loadSync(rootFiles, {
    includeDirs: [path.join(repository, "proto")],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const files = Object.values(definition).flatMap((entry) =>
    "fileDescriptorProtos" in entry && Array.isArray(entry.fileDescriptorProtos) ? entry.fileDescriptorProtos : [],
  );
  return { definition, registry: registryOf(files) };
}

/** The contracts of gRPC health and reflection as @grpc/proto-loader sees them in the packages that serve them. */
export function loadStandardServices(): PackageDefinition {
  const packages = path.join(repository, "node_modules");
  return loadSync(
    ["health/v1/health.proto", "grpc/reflection/v1/reflection.proto", "grpc/reflection/v1alpha/reflection.proto"],
    { includeDirs: [`${packages}/grpc-health-check/proto`, `${packages}/@grpc/reflection/build/proto`] },
  );
}

/**
 * A registry of serialized FileDescriptorProtos, whatever their order and however often one is repeated.
 * protobufjs, under proto-loader and so under reflection, writes type names relative to their scope, which
 * descriptor.proto allows ("if not fully-qualified, C++-like scoping rules are used") and @bufbuild/protobuf does not
 * read: they are resolved here.
 */
export function registryOf(serialized: readonly Uint8Array[]): FileRegistry {
  const files = new Map<string, FileDescriptorProto>();
  for (const bytes of serialized) {
    const file = fromBinary(FileDescriptorProtoSchema, bytes);
    files.set(file.name, file);
  }
  const names = new Set([...files.values()].flatMap(declaredNames));
  const ordered: FileDescriptorProto[] = [];
  const place = (file: FileDescriptorProto): void => {
    if (ordered.includes(file)) return;
    if (isFromProtobufjs(file)) {
      file.dependency = [...files.values()].filter((other) => other.package !== file.package).map(({ name }) => name);
    }
    for (const name of file.dependency) {
      const dependency = files.get(name);
      if (dependency !== undefined) place(dependency);
    }
    qualifyTypeNames(file, names);
    ordered.push(file);
  };
  for (const file of files.values()) place(file);
  return createFileRegistry(create(FileDescriptorSetSchema, { file: ordered }));
}

/** protobufjs makes one file per package, named like it, and leaves its imports out. */
function isFromProtobufjs(file: FileDescriptorProto): boolean {
  return file.package.startsWith("pallet.") && file.name === `${file.package.replaceAll(".", "_")}.proto`;
}

function declaredNames(file: FileDescriptorProto): string[] {
  const inMessage = (scope: string, message: DescriptorProto): string[] => {
    const name = `${scope}.${message.name}`;
    return [
      name,
      ...message.enumType.map((nested) => `${name}.${nested.name}`),
      ...message.nestedType.flatMap((nested) => inMessage(name, nested)),
    ];
  };
  const scope = `.${file.package}`;
  return [
    ...file.enumType.map(({ name }) => `${scope}.${name}`),
    ...file.messageType.flatMap((message) => inMessage(scope, message)),
  ];
}

function qualifyTypeNames(file: FileDescriptorProto, names: ReadonlySet<string>): void {
  const qualify = (scope: string, name: string): string => {
    if (name === "" || name.startsWith(".")) return name;
    for (let outer = scope; ; outer = outer.slice(0, outer.lastIndexOf("."))) {
      if (names.has(`${outer}.${name}`)) return `${outer}.${name}`;
      if (outer === "") return `.${name}`;
    }
  };
  const inMessage = (scope: string, message: DescriptorProto): void => {
    const inner = `${scope}.${message.name}`;
    for (const field of message.field) field.typeName = qualify(inner, field.typeName);
    for (const nested of message.nestedType) inMessage(inner, nested);
  };
  const scope = `.${file.package}`;
  for (const message of file.messageType) inMessage(scope, message);
  for (const method of file.service.flatMap((service) => service.method)) {
    method.inputType = qualify(scope, method.inputType);
    method.outputType = qualify(scope, method.outputType);
  }
}

/** ts-proto's codecs by full message name, and its services by full service name. */
export async function importGenerated(): Promise<{
  readonly codecs: ReadonlyMap<string, GeneratedCodec>;
  readonly services: ReadonlyMap<string, Readonly<Record<string, GeneratedMethod>>>;
}> {
  const codecs = new Map<string, GeneratedCodec>();
  const services = new Map<string, Readonly<Record<string, GeneratedMethod>>>();
  const folder = path.join(repository, "proto/gen/pallet/v1");
  for (const file of await readdir(folder)) {
    const exports = (await import(path.join(folder, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== "object" || value === null) continue;
      if ("encode" in value) codecs.set(`pallet.v1.${name}`, value as unknown as GeneratedCodec);
      else if (name.endsWith("ServiceService")) {
        services.set(`pallet.v1.${name.slice(0, -"Service".length)}`, value as Record<string, GeneratedMethod>);
      }
    }
  }
  return { codecs, services };
}

/** A message of the proto-loader view, by full name. */
export function loaderMessage(definition: PackageDefinition, name: string): MessageTypeDefinition<object, object> {
  const entry = definition[name];
  if (entry === undefined || !("serialize" in entry)) throw new Error(`proto-loader knows no message ${name}`);
  return entry as MessageTypeDefinition<object, object>;
}

/** A service of the proto-loader view, by full name. */
export function loaderService(definition: PackageDefinition, name: string): ServiceDefinition {
  const entry = definition[name];
  if (entry === undefined || "format" in entry) throw new Error(`proto-loader knows no service ${name}`);
  return entry as ServiceDefinition;
}

/** Everything of a registry that goes over the wire, in a form that can be compared. */
export function wireShape(registry: FileRegistry): Record<string, unknown> {
  const shape: Record<string, unknown> = {};
  for (const type of registry) {
    if (!type.typeName.startsWith("pallet.")) continue;
    if (type.kind === "message") shape[`message ${type.typeName}`] = type.fields.map(fieldShape);
    else if (type.kind === "enum") {
      shape[`enum ${type.typeName}`] = type.values.map(({ name, number }) => `${name} = ${number}`);
    } else if (type.kind === "service") {
      shape[`service ${type.typeName}`] = type.methods.map(
        (method) => `${method.name} ${method.methodKind} ${method.input.typeName} -> ${method.output.typeName}`,
      );
    }
  }
  return Object.fromEntries(Object.entries(shape).sort(([a], [b]) => a.localeCompare(b)));
}

function fieldShape(field: DescField): string {
  const type =
    field.message?.typeName ?? field.enum?.typeName ?? (field.scalar === undefined ? "map" : `scalar ${field.scalar}`);
  // protobufjs shows proto3's "optional" as the oneof of one field that descriptor.proto prescribes for it.
  const isSynthetic = field.oneof?.name === `_${field.name}`;
  const oneof = field.oneof === undefined || isSynthetic ? "" : ` oneof ${field.oneof.name}`;
  const optional = field.proto.proto3Optional || isSynthetic ? " optional" : "";
  return `${field.number} ${field.name} ${field.fieldKind === "list" ? "repeated " : ""}${type}${oneof}${optional}`;
}
