import { Failure } from "../../../proto/failure.ts";
import type { OperationId, ReportedOperation } from "../../../proto/operation/operation.ts";
import type { OperationSpec } from "../../../proto/operation/operation-spec.ts";
import { isRefusal, isSilence, isUnknownOperation } from "../../agents/agent-error.ts";
import type { AgentInstance } from "../../agents/agent-instance.ts";
import type { AgentPort } from "../../agents/agent-port.ts";
import { withAgentOf } from "../../agents/reach-agent.ts";
import { firstPartitionBytes, type Image, rootPartitionOf } from "../../images/catalogue/image.ts";
import { planGrowth } from "../../images/catalogue/plan-growth.ts";
import type { EffectOf } from "../machine/effect.ts";
import type { Answer } from "../machine/reimage-event.ts";
import type { ReimageState } from "../machine/reimage-state.ts";
import { describeOutcome } from "../plan/describe-card-growth.ts";
import { planCardIds } from "../plan/plan-card-ids.ts";
import { type Executor, type ExecutorContext, nodeOf, type World } from "./executor.ts";
import { imageOf } from "./image-of.ts";
import { startOrAdopt } from "./start-or-adopt.ts";

/** Starts the write on the boot that passed the preflight, unless that agent is at it already, and watches it. */
export const startWrite: Executor<"start-write"> = async (effect, context) => {
  const { state, world, signal, answer } = context;
  let isAsked = false;
  try {
    const image = await imageOf(context);
    const { bootId } = effect.agent;
    const start = async (agent: AgentPort): Promise<void> => {
      isAsked = true;
      const spec = specOf(effect, state, image, world);
      const operationId = await startOrAdopt(agent, effect.operationId, spec, context);
      answer({ type: "write-started", operationId });
      await watch(agent, operationId, context);
    };
    await withAgentOf(nodeOf(context), world.agents, start, { expected: { bootId }, signal });
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
  const cancel = (port: AgentPort) => port.cancelOperation(operationId, context.signal);
  try {
    const operation = await withWriter(context, agent ?? writerIn(context), cancel);
    context.answer(newsOf(operation));
  } catch (error) {
    context.answer(
      isUnknownOperation(error) ? { type: "write-lost" } : { type: "agent-unreachable", failure: Failure.from(error) },
    );
  }
};

/**
 * Lends a connection to the agent on the boot that writes. Any run of it will do: one that has restarted says itself
 * that the operation is lost. That another boot does not know it says nothing.
 */
function withWriter<T>(
  context: ExecutorContext,
  writer: AgentInstance | undefined,
  use: (agent: AgentPort) => Promise<T>,
): Promise<T> {
  const { world, signal } = context;
  const expected = writer && { expected: { bootId: writer.bootId } };
  return withAgentOf(nodeOf(context), world.agents, use, { ...expected, signal });
}

function writerIn({ state: { phase } }: ExecutorContext): AgentInstance | undefined {
  return "agent" in phase ? phase.agent : undefined;
}

/** Reports until the write has ended or the stream breaks, whatever it breaks by: watching again is harmless. */
async function watch(agent: AgentPort, operationId: OperationId, context: ExecutorContext): Promise<void> {
  const { signal, answer } = context;
  try {
    for await (const operation of agent.watchOperation(operationId, signal)) {
      if (operation.state === "running") {
        answer(newsOf(operation));
        continue;
      }
      // If the write ended while the connection was down, its last progress has not been seen.
      answer({ type: "write-progressed", progress: operation.progress });
      const news = newsOf(operation);
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

/** The same for every repetition, so that the agent recognises its operation. */
function specOf(effect: EffectOf<"start-write">, state: ReimageState, image: Image, world: World): OperationSpec {
  const urls = world.packUrls(image);
  const controllers = world.controllers?.() ?? [];
  const { offsetBytes, lengthBytes, filesystemType } = rootPartitionOf(image);
  const { diskFirmware, disk } = effect;
  const growth = state.card?.grow ? planGrowth(image, state.card.endBytes) : undefined;
  const ids = state.card && planCardIds(image, { nodeId: state.nodeId, disk });
  const resident = state.noResident === undefined;
  const system = {
    root: { offsetBytes, lengthBytes, filesystemType },
    stamp: {
      imageName: state.imageName,
      imageDigest: image.digest,
      reimageId: state.id,
      installedAt: new Date(effect.startedAt).toISOString(),
    },
  };
  return {
    kind: "write-image",
    device: effect.disk,
    source: {
      url: urls.pack,
      storedBytes: image.storedBytes,
      sizeBytes: image.sizeBytes,
      digest: image.digest,
      firstPartitionBytes: firstPartitionBytes(image),
      manifest: {
        url: urls.manifest,
        digest: image.pack.manifestDigest,
        manifestBytes: image.pack.manifestBytes,
      },
    },
    full: state.full ?? false,
    ...(growth && { growth }),
    ...(ids && { ids }),
    ...((resident || diskFirmware !== undefined) && {
      customisation: {
        ...(resident && system),
        resident,
        ...(diskFirmware && { diskFirmware }),
        ...(resident && controllers.length > 0 && { settings: { node: state.nodeId, controllers } }),
      },
    }),
  };
}
