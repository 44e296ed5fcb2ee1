// Calls as promises, and what is asserted of their ends.
import assert from "node:assert/strict";
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { type Failure, failureFromWire, failureMetadataKey } from "../../proto/failure.ts";
import { Failure as WireFailure, FailureReason as WireReason } from "../../proto/gen/pallet/v1/failure.ts";
import { ask, type UnaryMethod } from "../../proto/grpc/call.ts";

/** Names of gRPC's statuses. */
export type StatusName = keyof typeof status;

/** How long the tests wait for what should be there at once on an idle machine, in milliseconds. */
const patienceMs = 20_000;

/** Calls and resolves with the answer. The call is cancelled by the signal, and has a deadline in any case. */
export function answer<Request, Response>(
  client: Client,
  method: UnaryMethod<Request, Response>,
  request: Request,
  { deadlineMs = patienceMs, signal }: { readonly deadlineMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  return ask(client, method, request, { timeoutMs: deadlineMs, signal });
}

/** Every message of a stream that ends by itself. */
export async function collect<Message>(
  stream: ClientReadableStream<Message> | ClientDuplexStream<never, Message>,
): Promise<Message[]> {
  const late = setTimeout(() => stream.cancel(), patienceMs);
  try {
    return await Array.fromAsync(stream as AsyncIterable<Message>);
  } finally {
    clearTimeout(late);
  }
}

/** The first message of a stream that is wanted; the stream stays open and is to be cancelled by the caller. */
export function firstOf<Message>(
  stream: ClientReadableStream<Message>,
  wanted: (message: Message) => boolean = () => true,
): Promise<Message> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("the stream did not bring what is wanted")), patienceMs);
    stream.on("data", (message: Message) => {
      if (!wanted(message)) return;
      clearTimeout(late);
      resolve(message);
    });
    stream.on("error", (error) => {
      clearTimeout(late);
      reject(error);
    });
  });
}

/** How a stream ends: the status that the caller is given. */
export function endOf(stream: ClientReadableStream<unknown>): Promise<status> {
  return new Promise((resolve) => {
    stream.on("error", () => {});
    stream.on("status", ({ code }) => resolve(code));
    stream.resume();
  });
}

/** Asserts that a call ends with this status, whoever gave it. */
export async function endsWith(call: Promise<unknown>, code: status): Promise<ServiceError> {
  const error = await call.then(
    (response) => assert.fail(`expected ${status[code]}, and it succeeded: ${inJson(response)}`),
    (error: unknown) => error as ServiceError,
  );
  assert.equal(status[error.code] ?? String(error), status[code], error.message);
  return error;
}

/** Asserts that a call is refused with this status and a Failure of this reason, and returns that. */
export async function refusedWith(
  call: Promise<unknown>,
  code: status,
  reason: keyof typeof WireReason,
): Promise<Failure> {
  const error = await endsWith(call, code);
  const [bytes] = error.metadata.get(failureMetadataKey);
  assert.ok(Buffer.isBuffer(bytes), `no ${failureMetadataKey} in the trailers of ${error.message}`);
  const failure = WireFailure.decode(bytes);
  const found = Object.entries(WireReason).find(([, value]) => value === failure.reason)?.[0];
  assert.equal(found, reason, failure.message);
  assert.equal(failure.message, error.details);
  return failureFromWire(failure);
}

function inJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part));
}
