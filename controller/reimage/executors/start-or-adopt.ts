import type { OperationId, ReportedOperation } from "../../../proto/operation/operation.ts";
import type { OperationSpec } from "../../../proto/operation/operation-spec.ts";
import { msBetween } from "../../../proto/time/boot-moment.ts";
import { pause } from "../../../proto/time/pause.ts";
import { isFull, isTakenId, occupantOf } from "../../agents/agent-error.ts";
import type { AgentPort } from "../../agents/agent-port.ts";
import { judgeOccupant } from "../machine/write-operation.ts";
import type { ExecutorContext } from "./executor.ts";
import { recordEvent } from "./record-event.ts";

/** How long a write waits for an agent that runs as many operations as it may, and between two tries; milliseconds. */
const fullPatienceMs = 120_000;
const fullPauseMs = 5_000;

/** The write that runs now. */
export interface StartedWrite {
  readonly operationId: OperationId;
  /** As its agent has understood it; absent for one that was adopted, which may have been asked for in other words. */
  readonly operation?: ReportedOperation;
}

/**
 * Starts a write, or finds the one that this reimage has started before: its id is taken when the controller has got
 * another address or configuration since; the device is busy when an attempt was taken for lost and went on. A write
 * that an ended reimage has left behind on the device is cancelled first. An agent that runs as many operations as it
 * may is asked again for two minutes. Resolves with the operation that writes now; rejects as AgentPort.startOperation.
 */
export async function startOrAdopt(
  agent: AgentPort,
  operationId: OperationId,
  spec: OperationSpec,
  { state, world, signal }: ExecutorContext,
): Promise<StartedWrite> {
  const start = async (): Promise<StartedWrite> => {
    for (const began = world.moment(); ; await pause(world.clock, fullPauseMs, signal)) {
      try {
        return { operationId, operation: await agent.startOperation(operationId, spec, signal) };
      } catch (error) {
        const waitedMs = msBetween(began, world.moment()) ?? 0;
        if (!isFull(error) || waitedMs >= fullPatienceMs) throw error;
      }
    }
  };
  try {
    return await start();
  } catch (error) {
    if (isTakenId(error)) return { operationId };
    const occupant = occupantOf(error);
    if (occupant === undefined) throw error;
    const whose = judgeOccupant(state.id, occupant);
    if (whose === "own") return { operationId: occupant as OperationId };
    if (whose === "foreign") throw error;
    const { nodeId, nodeName, rolloutId } = state;
    await agent.cancelOperation(occupant as OperationId, signal);
    recordEvent(world, {
      ...{ type: "reimage-write-restarted", severity: "warning", nodeId, nodeName, rolloutId },
      message: `cancelled the write ${occupant} on ${nodeName}, which an earlier reimage had left behind`,
    });
    return await start();
  }
}
