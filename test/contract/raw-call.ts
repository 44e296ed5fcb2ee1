import type { DescMethod } from "@bufbuild/protobuf";
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";

const patienceMs = 30_000;

/**
 * Calls any method with an encoded request, and resolves with how the call ends; a stream that continues has been taken
 * with its first answer.
 */
export function rawCall(
  client: Client,
  { parent, name, methodKind }: DescMethod,
  request: Uint8Array = new Uint8Array(),
): Promise<status> {
  const path = `/${parent.typeName}/${name}`;
  const asIs = (bytes: Buffer): Buffer => bytes;
  const octets = Buffer.from(request);
  const deadline = { deadline: Date.now() + patienceMs };
  return new Promise((resolve) => {
    if (methodKind === "unary") {
      client.makeUnaryRequest(path, asIs, asIs, octets, new Metadata(), deadline, (error: ServiceError | null) =>
        resolve(error?.code ?? status.OK),
      );
      return;
    }
    const stream: ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer> =
      methodKind === "server_streaming"
        ? client.makeServerStreamRequest(path, asIs, asIs, octets, new Metadata(), deadline)
        : client.makeBidiStreamRequest(path, asIs, asIs, new Metadata(), deadline);
    stream.on("error", () => {});
    stream.on("data", () => {
      resolve(status.OK);
      stream.cancel();
    });
    stream.on("status", ({ code }: { code: status }) => resolve(code));
    if (methodKind !== "server_streaming") (stream as ClientDuplexStream<Buffer, Buffer>).end();
  });
}
