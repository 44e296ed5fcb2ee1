import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type Metadata, Server, ServerCredentials, type ServerWritableStream, type status } from "@grpc/grpc-js";
import type { Failure } from "../../../../proto/failure.ts";
import { type ControllerServiceServer, ControllerServiceService } from "../../../../proto/gen/pallet/v1/controller.ts";
import { failureMetadata } from "../../../../proto/grpc/failure-metadata.ts";

/** The calls that a test wants answered; every other one is answered with UNIMPLEMENTED. */
export type Answers = Partial<ControllerServiceServer>;

/** A gRPC server on a unix socket that answers with what a test put into it. */
export interface AController {
  readonly socket: string;
  /** Ends every call and connection, as a crash does; the socket stays in the file system, as after a crash. */
  stop(): void;
  /** Listens again with other answers. */
  restart(answers: Answers): Promise<void>;
  close(): Promise<void>;
}

/** Starts one. */
export async function startController(answers: Answers): Promise<AController> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-cli-"));
  const socket = path.join(folder, "controller.sock");
  const listen = async (given: Answers): Promise<Server> => {
    await rm(socket, { force: true });
    const server = new Server();
    // grpc-js answers UNIMPLEMENTED for handlers that are not there.
    server.addService(ControllerServiceService, given as ControllerServiceServer);
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    return server;
  };
  let server = await listen(answers);
  return {
    socket,
    stop: () => server.forceShutdown(),
    restart: async (next) => {
      server.forceShutdown();
      server = await listen(next);
    },
    close: async () => {
      server.forceShutdown();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A unary answer. */
export function answer<Request, Response>(respond: (request: Request) => Response) {
  return (call: { readonly request: Request }, callback: (error: null, response: Response) => void): void =>
    callback(null, respond(call.request));
}

/** A refusal as the controller's doors make them: a status, and the failure in the metadata. */
export function refusal(code: status, failure: Failure): { code: status; details: string; metadata: Metadata } {
  return { code, details: failure.message, metadata: failureMetadata(failure) };
}

/** A unary answer that is a refusal. */
export function refuse(code: status, failure: Failure) {
  return (_: unknown, callback: (error: ReturnType<typeof refusal>) => void): void => callback(refusal(code, failure));
}

/** A stream of answers that then ends. */
export function stream<Request, Response>(respond: (request: Request) => Iterable<Response> | AsyncIterable<Response>) {
  return (call: ServerWritableStream<Request, Response>): void => {
    void (async () => {
      for await (const message of respond(call.request)) {
        if (call.cancelled) return;
        call.write(message);
      }
      call.end();
    })();
  };
}

/** A stream of answers that then stays open until the caller ends it. */
export function openStream<Request, Response>(respond: (request: Request) => Iterable<Response>) {
  return (call: ServerWritableStream<Request, Response>): void => {
    for (const message of respond(call.request)) call.write(message);
  };
}
