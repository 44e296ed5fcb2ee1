import path from "node:path";
import { type ChannelCredentials, type ClientDuplexStream, credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** The versions of gRPC reflection (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md). */
export const reflectionVersions = ["v1", "v1alpha"] as const;

/** What reflection is asked here. */
type Question = { list_services: string } | { file_containing_symbol: string } | { file_by_filename: string };

interface Response {
  readonly message_response: string;
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly error_response?: { readonly error_code: number; readonly error_message: string };
}

interface Client {
  serverReflectionInfo(): ClientDuplexStream<Question, Response>;
  close(): void;
}

type ClientConstructor = new (address: string, credentials: ChannelCredentials) => Client;

/** A client of reflection that asks as the specification says, one question after the other on one stream. */
export function createReflectionClient(address: string, version: (typeof reflectionVersions)[number]) {
  const protos = path.resolve(import.meta.dirname, "../../node_modules/@grpc/reflection/build/proto");
  const definition = loadSync(`grpc/reflection/${version}/reflection.proto`, {
    includeDirs: [protos],
    keepCase: true,
    oneofs: true,
  });
  const loaded = loadPackageDefinition(definition) as unknown as {
    grpc: { reflection: Record<string, { ServerReflection: ClientConstructor }> };
  };
  const Constructor = loaded.grpc.reflection[version]?.ServerReflection;
  if (Constructor === undefined) throw new Error(`@grpc/reflection has no reflection ${version}`);
  const client = new Constructor(address, credentials.createInsecure());

  const ask = async (question: Question): Promise<Response> => {
    const stream = client.serverReflectionInfo();
    stream.end(question);
    const [response] = await Array.fromAsync(stream as AsyncIterable<Response>);
    if (response === undefined) throw new Error("reflection ended without an answer");
    return response;
  };
  const files = async (question: Question): Promise<readonly Buffer[]> => {
    const { file_descriptor_response: found, error_response: error } = await ask(question);
    if (found === undefined) throw new Error(`${error?.error_code} ${error?.error_message}`);
    return found.file_descriptor_proto;
  };

  return {
    /** Full names of the services. */
    services: async () =>
      ((await ask({ list_services: "*" })).list_services_response?.service ?? []).map(({ name }) => name),
    /** Serialized FileDescriptorProtos: the file that declares the symbol and what it imports. */
    filesContaining: (symbol: string) => files({ file_containing_symbol: symbol }),
    fileNamed: (name: string) => files({ file_by_filename: name }),
    close: () => client.close(),
  };
}
