import { Failure } from "../../../proto/failure.ts";
import type { Capability } from "../../../proto/operation/capabilities.ts";
import { findDifference } from "../../../proto/operation/find-difference.ts";
import type { OperationId, ReportedOperation } from "../../../proto/operation/operation.ts";
import type { OperationSpec } from "../../../proto/operation/operation-spec.ts";
import { specFromWire, specToWire } from "../../../proto/operation/spec-codec.ts";
import { withoutSystem } from "../../../proto/operation/without-system.ts";
import { isRefusal, isSilence, isUnknownOperation } from "../../agents/agent-error.ts";
import type { AgentInstance } from "../../agents/agent-instance.ts";
import type { AgentPort, AgentReport } from "../../agents/agent-port.ts";
import { withAgentOf } from "../../agents/reach-agent.ts";
import { planGrowth } from "../../images/catalogue/plan-growth.ts";
import type { Answer } from "../machine/reimage-event.ts";
import { describeOutcome } from "../plan/describe-card-growth.ts";
import { judgeAgent } from "../plan/judge-agent.ts";
import { confirmedSystem } from "./confirmed-system.ts";
import { type Executor, type ExecutorContext, nodeOf, recordOfBoard } from "./executor.ts";
import { imageOf } from "./image-of.ts";
import { startOrAdopt } from "./start-or-adopt.ts";
import { writeSpec } from "./write-spec.ts";

/** Starts the write on the boot that passed the preflight, unless that agent is at it already, and watches it. */
export const startWrite: Executor<"start-write"> = async (effect, context) => {
  const { state, world, signal, answer } = context;
  let isAsked = false;
  try {
    const image = await imageOf(context);
    const system = await confirmedSystem(context);
    const start = async (agent: AgentPort, report: AgentReport): Promise<void> => {
      isAsked = true;
      const { spec } = judgeAgent(writeSpec(effect, state, image, world, system), report.agent);
      const { operationId, operation } = await startOrAdopt(agent, effect.operationId, spec, context);
      const failure = operation && misunderstood(spec, operation);
      if (failure !== undefined) {
        const { diskOutcome } = await agent.cancelOperation(operationId, signal);
        answer({ type: "write-failed", failure, ...(diskOutcome && { outcome: diskOutcome }) });
        return;
      }
      answer({ type: "write-started", operationId });
      await watch(agent, operationId, context, operation && spec);
    };
    await withAgentOf(nodeOf(context), world.agents, start, { expected: effect.agent, signal });
  } catch (error) {
    const failure = Failure.from(error);
    if (isSilence(error)) answer({ type: "agent-unreachable", failure, unasked: !isAsked });
    else
      answer({
        type: "write-failed",
        failure,
        // A start that is refused leaves no operation behind.
        ...((!isAsked || isRefusal(error)) && { outcome: "untouched" }),
      });
  }
};

/** Watches a write that was started before. */
export const watchWrite: Executor<"watch-write"> = async ({ operationId }, context) => {
  try {
    await withWriter(context, writerIn(context), (agent) => watch(agent, operationId, context));
  } catch (error) {
    context.answer({ type: "agent-unreachable", failure: Failure.from(error) });
  }
};

/** Has the agent stop the write and release the disk. */
export const cancelWrite: Executor<"cancel-write"> = async ({ operationId, agent }, context) => {
  let isRefusedNow = false;
  const cancel = (port: AgentPort, { agent: { capabilities } }: AgentReport) => {
    isRefusedNow = capabilities?.includes("cancel-ahead" satisfies Capability) === true;
    return port.cancelOperation(operationId, context.signal);
  };
  try {
    const operation = await withWriter(context, agent ?? writerIn(context), cancel);
    context.answer(newsOf(operation));
  } catch (error) {
    context.answer(
      isUnknownOperation(error)
        ? { type: "write-lost", isRefusedNow }
        : { type: "agent-unreachable", failure: Failure.from(error) },
    );
  }
};

/**
 * Lends a connection to the run of the agent that writes. That another does not know the operation says nothing; one that
 * has restarted registers, and then the write is lost.
 */
function withWriter<T>(
  context: ExecutorContext,
  writer: AgentInstance | undefined,
  use: (agent: AgentPort, report: AgentReport) => Promise<T>,
): Promise<T> {
  const { world, signal } = context;
  const expected = writer && { expected: writer };
  return withAgentOf(nodeOf(context), world.agents, use, { ...expected, signal });
}

function writerIn({ state: { phase } }: ExecutorContext): AgentInstance | undefined {
  return "agent" in phase ? phase.agent : undefined;
}

/**
 * Reports until the write has ended or the stream breaks, whatever it breaks by: watching again is harmless. A
 * success counts only when it is one of what was asked for.
 *
 * @param asked absent when another connection has seen that the agent understood it
 */
async function watch(
  agent: AgentPort,
  operationId: OperationId,
  context: ExecutorContext,
  asked?: OperationSpec,
): Promise<void> {
  const { signal, answer } = context;
  try {
    for await (const operation of agent.watchOperation(operationId, signal)) {
      if (operation.state === "running") {
        answer(newsOf(operation));
        continue;
      }
      // If the write ended while the connection was down, its last progress has not been seen.
      answer({ type: "write-progressed", progress: operation.progress });
      const failure = asked && operation.state === "succeeded" ? misunderstood(asked, operation) : undefined;
      const news: Answer = failure === undefined ? newsOf(operation) : { type: "write-failed", failure };
      if (news.type === "write-succeeded") keepHostKeys(operation, context);
      const growth = news.type === "write-succeeded" ? await growthOf(operation, context) : undefined;
      answer({ ...news, ...(growth !== undefined && { growth }) });
      return;
    }
    answer({ type: "agent-unreachable", failure: new Failure("node-silent", "the agent stopped reporting the write") });
  } catch (error) {
    answer(
      isUnknownOperation(error) ? { type: "write-lost" } : { type: "agent-unreachable", failure: Failure.from(error) },
    );
  }
}

/** Before the success is told: what follows from it may be a restart. */
function keepHostKeys({ writeResult }: ReportedOperation, context: ExecutorContext): void {
  const hostKeys = writeResult?.hostKeys;
  if (hostKeys === undefined || recordOfBoard(context) === undefined) return;
  const { state, world } = context;
  world.nodes.setHostKeys(state.nodeId, state.id, hostKeys);
}

/** What became of the growth of the root; undefined when none was asked for. */
async function growthOf({ writeResult }: ReportedOperation, context: ExecutorContext): Promise<string | undefined> {
  const { card } = context.state;
  if (card?.grow !== true) return undefined;
  // An image that was removed meanwhile fails the reimage elsewhere.
  const image = await imageOf(context).catch(() => undefined);
  if (image === undefined) return undefined;
  return describeOutcome(planGrowth(image, card.endBytes) !== undefined, writeResult);
}

function newsOf({ id, state, progress, failure, diskOutcome }: ReportedOperation): Answer {
  const outcome = diskOutcome && { outcome: diskOutcome };
  switch (state) {
    case "running":
      return { type: "write-progressed", progress };
    case "succeeded":
      return { type: "write-succeeded" };
    case "failed":
      return {
        type: "write-failed",
        failure: failure ?? new Failure("internal", `operation ${id} failed without a reason`),
        ...outcome,
      };
    case "cancelled":
      return { type: "write-cancelled", ...outcome };
  }
}

/**
 * The field in which an operation differs from what was asked for, as a Failure: its agent has understood something
 * else, and does or did something else. Undefined when it has understood.
 */
function misunderstood(asked: OperationSpec, { spec }: ReportedOperation): Failure | undefined {
  // What was asked for as it travels: without what the wire has no form for.
  const field = findDifference(specFromWire(specToWire(withoutSystem(asked))), spec);
  if (field === undefined) return undefined;
  return new Failure(
    "unsupported",
    `the node's agent has not understood ${field === "" ? "the work" : field} as this controller meant it, and would write ` +
      'something else: give the nodes this controller\'s agent ("controller rootfs bake"), and reboot the node',
    { expected: "the work as it was asked for", found: `another ${field === "" ? "work" : field}` },
  );
}
