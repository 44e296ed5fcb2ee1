import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import {
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { Failure } from "../../../../proto/failure.ts";
import { AgentServiceClient, AgentServiceService } from "../../../../proto/gen/pallet/v1/agent.ts";
import { ask, follow } from "../../../../proto/grpc/call.ts";
import { failureIn, failureMetadata, isServiceError } from "../../../../proto/grpc/failure-metadata.ts";

// A server whose answers depend on what it is asked: any service will do.
const cancelled = new Set<string>();
const server = new Server();
server.addService(AgentServiceService, {
  reboot({ request }: ServerUnaryCall<{ expectedBootId: string }, object>, done: sendUnaryData<object>): void {
    const failure = new Failure("mounted", "it is mounted");
    if (request.expectedBootId === "refuse")
      done({ code: status.FAILED_PRECONDITION, details: failure.message, metadata: failureMetadata(failure) });
    else if (request.expectedBootId === "answer") done(null, {});
    // Anything else is never answered.
  },
  watchOperation(call: ServerWritableStream<{ operationId: string }, object>): void {
    const { operationId } = call.request;
    call.on("cancelled", () => void cancelled.add(operationId));
    for (let sent = 0; sent < 3; sent++) call.write({ operation: undefined });
    if (operationId === "end") call.end();
    if (operationId === "break") call.emit("error", { code: status.DATA_LOSS, details: "broken" });
  },
});

describe("a call", () => {
  let client: AgentServiceClient;
  before(async () => {
    const port = await promisify(server.bindAsync.bind(server))("127.0.0.1:0", ServerCredentials.createInsecure());
    client = new AgentServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
  });
  after(() => {
    client.close();
    server.forceShutdown();
  });

  const reboot = (expectedBootId: string, patience: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
    ask(client, client.reboot, { expectedBootId }, { timeoutMs: 20_000, ...patience });
  const errorOf = (promise: Promise<unknown>) =>
    promise.then(
      () => assert.fail("it should not have succeeded"),
      (error: unknown) => error,
    );
  const watch = (operationId: string, signal = new AbortController().signal) =>
    follow(() => client.watchOperation({ operationId }), signal);

  it("with one answer resolves with it", async () => assert.deepEqual(await reboot("answer"), {}));

  it("that is refused rejects with the error as it came, the failure in it", async () => {
    const error = await errorOf(reboot("refuse"));
    assert.ok(isServiceError(error));
    assert.equal(error.code, status.FAILED_PRECONDITION);
    assert.equal(failureIn(error)?.reason, "mounted");
  });

  it("that is not answered ends at its deadline", async () => {
    const error = await errorOf(reboot("silence", { timeoutMs: 50 }));
    assert.ok(isServiceError(error) && error.code === status.DEADLINE_EXCEEDED);
    assert.equal(failureIn(error), undefined);
  });

  it("is cancelled by its signal, and not made when that is aborted already", async () => {
    const abort = new AbortController();
    const asked = errorOf(reboot("silence", { signal: abort.signal }));
    abort.abort(new Error("enough"));
    const error = await asked;
    assert.ok(isServiceError(error) && error.code === status.CANCELLED);
    assert.equal(await errorOf(reboot("answer", { signal: abort.signal })), abort.signal.reason);
    let calls = 0;
    const never = follow(() => {
      calls++;
      return client.watchOperation({ operationId: "end" });
    }, abort.signal);
    assert.equal(await errorOf(never.next()), abort.signal.reason);
    assert.equal(calls, 0);
  });

  it("that streams yields everything until the end", async () => {
    assert.equal((await Array.fromAsync(watch("end"))).length, 3);
  });

  it("that breaks throws the error as it came", async () => {
    const error = await errorOf(Array.fromAsync(watch("break")));
    assert.ok(isServiceError(error) && error.code === status.DATA_LOSS, String(error));
  });

  it("that streams ends with the reason of its signal", async () => {
    const abort = new AbortController();
    const reading = errorOf(
      (async () => {
        for await (const _ of watch("aborted", abort.signal)) abort.abort(new Error("enough"));
      })(),
    );
    assert.equal(await reading, abort.signal.reason);
  });

  it("is cancelled when its reader leaves", async () => {
    for await (const _ of watch("left")) break;
    for (let waited = 0; !cancelled.has("left") && waited < 200; waited++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(cancelled.has("left"));
  });
});
