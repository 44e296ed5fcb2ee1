import { AgentError, type AgentErrorKind } from "../../controller/agents/agent-error.ts";
import type { AgentConnector, AgentPort } from "../../controller/agents/agent-port.ts";
import { Failure, type FailureReason } from "../../proto/failure.ts";
import { type AgentIds, areSameAgent } from "../../proto/grpc/agent-ids.ts";
import type { ReportedOperation } from "../../proto/operation/operation.ts";
import { withoutSystem } from "../../proto/operation/without-system.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { pause } from "../../proto/time/pause.ts";
import type { AgentRun } from "./agent-run.ts";
import type { Random } from "./random.ts";

/** Who answers at an address at this moment, and whether messages get there and back. */
export interface Reach {
  agentAt(address: string): AgentRun | undefined;
  /** Whether the network carries anything to and from the address. */
  isCut(address: string): boolean;
  /** How often an answer gets lost. */
  lossRate(): number;
}

interface Meant {
  readonly address: string;
  readonly expected: Partial<AgentIds>;
}

/**
 * The controller's way to agents. Each call meets whatever agent is at the address by then, which does nothing and says
 * nothing when another one is meant, as agent/rpc/answer-as.ts has it. What `life` ends, never answers.
 */
export function createConnections(reach: Reach, clock: Clock, random: Random, life: AbortSignal): AgentConnector {
  const never = new Promise<never>(() => undefined);

  async function waitOr(ms: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await pause(clock, ms, signal);
    } catch {
      throw error("aborted", "cancelled", "given up");
    }
    if (life.aborted) await never;
  }

  async function call<T>(
    { address, expected }: Meant,
    signal: AbortSignal | undefined,
    perform: (agent: AgentRun) => T | Promise<T>,
  ): Promise<T> {
    if (life.aborted) await never;
    await waitOr(random.between(2, 40), signal);
    const agent = reach.agentAt(address);
    if (reach.isCut(address)) {
      await waitOr(10_000, signal);
      throw error("timed-out", "node-silent", `${address} did not answer in time`);
    }
    if (agent === undefined) {
      await waitOr(1_000, signal);
      throw error("unreachable", "node-silent", `nobody answers at ${address}`);
    }
    if (random.chance(reach.lossRate() / 2)) {
      await waitOr(10_000, signal);
      throw error("timed-out", "node-silent", `${address} did not answer in time`);
    }
    if (!areSameAgent(expected, { bootId: agent.facts().bootId, instanceId: agent.info().instanceId })) {
      await waitOr(random.between(2, 40), signal);
      throw error("unreachable", "node-silent", `another agent answers at ${address}`);
    }
    let answer: T;
    try {
      answer = await endsWith(agent.life, Promise.resolve(perform(agent)));
    } catch (cause) {
      await waitOr(random.between(2, 40), signal);
      throw cause instanceof AgentError ? cause : errorOf(cause);
    }
    await waitOr(random.between(2, 40), signal);
    if (agent.life.aborted || random.chance(reach.lossRate())) {
      throw error("unreachable", "node-silent", `the answer from ${address} was lost`);
    }
    return answer;
  }

  /** What an agent was about to answer dies with it. */
  function endsWith<T>(agentLife: AbortSignal, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const over = (): void => reject(error("unreachable", "node-silent", "the connection broke"));
      if (agentLife.aborted) return over();
      agentLife.addEventListener("abort", over, { once: true });
      work.then(resolve, reject).finally(() => agentLife.removeEventListener("abort", over));
    });
  }

  function connect(meant: Meant): AgentPort {
    const { address } = meant;
    const closed = new AbortController();
    const until = (signal: AbortSignal | undefined): AbortSignal =>
      signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);
    return {
      getNode: (signal) => call(meant, until(signal), (agent) => ({ facts: agent.facts(), agent: agent.info() })),
      retryTasks: (bootId, signal) => call(meant, until(signal), (agent) => agent.retryTasks(bootId)),
      reportBoard: (signal) => call(meant, until(signal), () => []),
      listBlockDevices: (signal) => call(meant, until(signal), (agent) => agent.devices()),
      startOperation: (id, spec, signal) =>
        call(meant, until(signal), async (agent) => {
          const { kind, operation } = await agent.operations.start(id, spec);
          if (kind !== "id-taken") return asTold(agent, operation);
          throw error("id-taken", "invalid", `operation ${id} is another one`);
        }),
      async *watchOperation(id, caller) {
        const signal = until(caller);
        const { agent, operations } = await call(meant, signal, (each) => {
          const found = each.operations.watch(id, AbortSignal.any([signal, each.life]));
          if (found === undefined) throw error("not-found", "invalid", `there is no operation ${id}`);
          return { agent: each, operations: found };
        });
        for await (const operation of operations) {
          if (signal.aborted || agent.life.aborted || reach.isCut(address)) break;
          yield asTold(agent, operation);
          if (operation.state !== "running") return;
        }
        if (signal.aborted) throw error("aborted", "cancelled", "given up");
        throw error("unreachable", "node-silent", "the stream broke");
      },
      cancelOperation: (id, signal) =>
        call(meant, until(signal), async (agent) => {
          const operation = await agent.operations.cancel(id);
          if (operation === undefined) throw error("not-found", "invalid", `there is no operation ${id}`);
          return asTold(agent, operation);
        }),
      readDisk: () => Promise.reject(error("refused", "unsupported", "the world's cards have no bytes")),
      reboot: (expectedBootId, signal) => call(meant, until(signal), (agent) => agent.reboot(expectedBootId)),
      close: () => closed.abort(),
    };
  }

  return { connect: ({ address }, expected = {}) => connect({ address, expected }) };
}

/** Secrets travel one way only; and an older agent does not say what a write left on the disk. */
function asTold({ isOld }: AgentRun, operation: ReportedOperation): ReportedOperation {
  const { diskOutcome, spec, ...rest } = operation;
  return {
    ...rest,
    ...(spec !== undefined && { spec: withoutSystem(spec) }),
    ...(!isOld && diskOutcome !== undefined && { diskOutcome }),
  };
}

function error(kind: AgentErrorKind, reason: FailureReason, message: string): AgentError {
  return new AgentError(kind, new Failure(reason, message), undefined);
}

/** The agent refused. */
function errorOf(cause: unknown): AgentError {
  return new AgentError("refused", Failure.from(cause), cause);
}
