import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { type Client, credentials, Metadata, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import type { AgentServer } from "../../../../agent/rpc/server.ts";
import { serveAgent } from "../../../../agent/rpc/server.ts";
import { StatusError, toServiceError } from "../../../../agent/rpc/status.ts";
import { Failure } from "../../../../proto/failure.ts";
import { AgentServiceClient, type AgentServiceServer } from "../../../../proto/gen/pallet/v1/agent.ts";
import { type AgentIds, answeringAgent, expectAgent } from "../../../../proto/grpc/agent-ids.ts";
import { failureIn } from "../../../../proto/grpc/failure-metadata.ts";

const ids: AgentIds = { bootId: "boot-1", instanceId: "run-1" };
let server: AgentServer | undefined;
let client: Client | undefined;
afterEach(async () => {
  client?.close();
  await server?.close(0);
});

interface Answer {
  readonly error: ServiceError | null;
  readonly metadata: Metadata | undefined;
}

/** Calls a served agent with these expectations, and gives what came back with the answer. */
async function call(name: "reportBoard" | "cancelOperation", expected: Partial<AgentIds>): Promise<Answer> {
  let called = false;
  const unknown = toServiceError(new StatusError(status.NOT_FOUND, new Failure("invalid", "unknown")));
  server = await serveAgent({
    service: {
      reportBoard: (_call: unknown, done: (error: null, answer: object) => void) => {
        called = true;
        done(null, { items: [] });
      },
      cancelOperation: (_call: unknown, done: (error: unknown) => void) => {
        called = true;
        done(unknown);
      },
    } as unknown as AgentServiceServer,
    socket: undefined,
    network: { address: "127.0.0.1", port: 0, open: (admit) => admit },
    credentials: ServerCredentials.createInsecure(),
    log: { warn: () => undefined },
    ids,
  });
  const agent = new AgentServiceClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
  client = agent;
  const metadata = new Metadata();
  expectAgent(metadata, expected);
  const answer = await new Promise<Answer>((resolve) => {
    let initial: Metadata | undefined;
    const request = { operationId: "x" };
    const made = agent[name].call(agent, request as never, metadata, {}, (error: ServiceError | null) =>
      setImmediate(() => resolve({ error, metadata: error?.metadata ?? initial })),
    );
    made.on("metadata", (found: Metadata) => {
      initial = found;
    });
  });
  assert.equal(called, answer.error === null || failureIn(answer.error)?.reason !== "other-agent");
  return answer;
}

for (const expected of [{}, { bootId: "boot-1" }, ids]) {
  test(`an answer to a call for ${JSON.stringify(expected)} names boot and run`, async () => {
    const { error, metadata } = await call("reportBoard", expected);
    assert.equal(error, null);
    assert.deepEqual(answeringAgent(metadata ?? new Metadata()), ids);
  });

  test(`an error to a call for ${JSON.stringify(expected)} names boot and run, and keeps its failure`, async () => {
    const { error, metadata } = await call("cancelOperation", expected);
    assert.equal(error?.code, status.NOT_FOUND);
    assert.equal(error && failureIn(error)?.message, "unknown");
    assert.deepEqual(answeringAgent(metadata ?? new Metadata()), ids);
  });
}

for (const [expected, evidence] of [
  [{ bootId: "boot-2" }, { expected: "boot-2", found: "boot-1" }],
  [
    { bootId: "boot-2", instanceId: "run-1" },
    { expected: "boot-2", found: "boot-1" },
  ],
  [
    { bootId: "boot-1", instanceId: "run-2" },
    { expected: "run-2", found: "run-1" },
  ],
] as const)
  test(`a call for ${JSON.stringify(expected)} does nothing and is refused, with who is here`, async () => {
    const { error, metadata } = await call("cancelOperation", expected);
    assert.equal(error?.code, status.FAILED_PRECONDITION);
    const failure = error && failureIn(error);
    assert.deepEqual([failure?.reason, failure?.evidence], ["other-agent", evidence]);
    assert.match(failure?.message ?? "", /meant for another .*ask who is here/);
    assert.deepEqual(answeringAgent(metadata ?? new Metadata()), ids);
  });
