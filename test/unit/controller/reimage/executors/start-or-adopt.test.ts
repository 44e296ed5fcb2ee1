import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentError, type AgentErrorKind } from "../../../../../controller/agents/agent-error.ts";
import type { AgentPort } from "../../../../../controller/agents/agent-port.ts";
import type { ExecutorContext } from "../../../../../controller/reimage/executors/executor.ts";
import { startOrAdopt } from "../../../../../controller/reimage/executors/start-or-adopt.ts";
import { Failure, type FailureReason } from "../../../../../proto/failure.ts";
import type { OperationId } from "../../../../../proto/operation/operation.ts";
import type { OperationSpec } from "../../../../../proto/operation/operation-spec.ts";
import { createManualClock } from "../../../proto/time/manual-clock.ts";

const own = "11111111-1111-4111-8111-111111111111";
const other = "22222222-2222-4222-8222-222222222222";
const wanted = `${own}-2` as OperationId;

function refusal(kind: AgentErrorKind, reason: FailureReason, found?: string): AgentError {
  return new AgentError(kind, new Failure(reason, "no", found === undefined ? {} : { found }), undefined);
}

/** An agent that refuses the first starts so; what it was asked, and what the events say. */
async function start(refused?: AgentError, times = 1) {
  const clock = createManualClock();
  const asked: string[] = [];
  const events: string[] = [];
  const agent = {
    async startOperation(id: string) {
      asked.push(`start ${id}`);
      if (refused !== undefined && asked.length <= times) throw refused;
    },
    async cancelOperation(id: string) {
      asked.push(`cancel ${id}`);
    },
  } as unknown as AgentPort;
  const context = {
    state: { id: own, nodeName: "pi-1" },
    world: {
      clock,
      moment: () => ({ bootId: "boot", ms: clock.now() }),
      events: { append: ({ message }: { message: string }) => events.push(message) },
    },
    signal: new AbortController().signal,
  } as unknown as ExecutorContext;
  let ended = false;
  const started = startOrAdopt(agent, wanted, {} as OperationSpec, context)
    .then(
      ({ operationId }) => operationId,
      (error: unknown) => error,
    )
    .finally(() => {
      ended = true;
    });
  await clock.advanceSettling(0);
  while (!ended) await clock.advanceSettling(5_000);
  return { id: await started, asked, events };
}

const again = [`start ${wanted}`];
for (const [what, refused, adopted] of [
  ["nothing is in the way", undefined, wanted],
  ["its id is taken, by the same write under another configuration", refusal("id-taken", "invalid"), wanted],
  ["an earlier attempt of its own writes", refusal("refused", "device-busy", `${own}-1`), `${own}-1`],
] as const)
  test(`when ${what}, that is the operation`, async () => {
    assert.deepEqual(await start(refused), { id: adopted, asked: again, events: [] });
  });

test("a write that an ended reimage has left behind is cancelled first, and told", async () => {
  const { id, asked, events } = await start(refusal("refused", "device-busy", `${other}-1`));
  assert.equal(id, wanted);
  assert.deepEqual(asked, [...again, `cancel ${other}-1`, ...again]);
  assert.match(events.join(), /cancelled the write .* on pi-1, which an earlier reimage had left behind/);
});

test("an agent that runs as many operations as it may is asked again, for two minutes", async () => {
  const full = refusal("refused", "device-busy");
  assert.deepEqual(await start(full, 3), { id: wanted, asked: Array(4).fill(again[0]), events: [] });
  assert.deepEqual(await start(full, 1000), { id: full, asked: Array(25).fill(again[0]), events: [] });
});

for (const [what, refused] of [
  ["an operator's own operation", refusal("refused", "device-busy", "by-hand-1")],
  ["the guard", refusal("refused", "mounted", "/mnt")],
  ["silence", refusal("unreachable", "node-silent")],
] as const)
  test(`${what} keeps it from starting`, async () => {
    assert.deepEqual(await start(refused), { id: refused, asked: again, events: [] });
  });
