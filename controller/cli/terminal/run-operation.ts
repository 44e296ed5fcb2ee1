import { Failure } from "../../../proto/failure.ts";
import type { OperationSpec } from "../../../proto/gen/pallet/v1/operation.ts";
import { exitCodeOfSignal } from "../../../proto/linux/stop-signals.ts";
import { type CommandContext, StopRequested } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { remedyFor } from "../render/remedy.ts";
import { renderFailure } from "../render/render-failure.ts";
import { renderTransfer, type Transfer } from "../render/render-transfer.ts";
import { formatMoment } from "../render/units.ts";
import { type OperationView, viewOperation } from "../view/operation-view.ts";
import { exitCode } from "./exit-code.ts";
import { createLiveArea } from "./live-area.ts";

/** An operation for a node's agent to perform. */
export interface NodeOperation {
  /** How the controller is asked about the node. */
  readonly node: string;
  /** How it is called for people. */
  readonly name: string;
  /** Whether others run beside it, so that no line can be redrawn. */
  readonly isOneOfSeveral: boolean;
  readonly work: NonNullable<OperationSpec["work"]>;
  /** The device concerned; null for none. */
  readonly device: string | null;
  /** The message to print on success. */
  readonly success: string;
}

function transferOf({ progress }: OperationView): Transfer {
  if (progress === null) return { activity: "starting", doneBytes: 0, totalBytes: 0 };
  const { phase, written, verified, bytesPerSecond, etaMs } = progress;
  const count = phase === "verifying" ? verified : written;
  return { activity: phase, doneBytes: count.done, totalBytes: count.total, bytesPerSecond, etaMs };
}

/**
 * Starts an operation on a node's agent and shows its progress: one line that is redrawn on a terminal, a line per
 * phase in a pipe, every state as a line of JSON for programs.
 *
 * @returns the exit code
 * @throws ControllerError if it is refused
 */
export async function runOperation(context: CommandContext, operation: NodeOperation): Promise<number> {
  const { client, effects, signal, look, isJson, print, note, printJsonLine } = context;
  const { node, name, isOneOfSeveral, work, device, success } = operation;
  const { stdout, clock } = effects;
  const isLive = !isJson && !isOneOfSeveral && stdout.isTerminal && effects.env["TERM"] !== "dumb";
  const area = createLiveArea(stdout);
  let last: OperationView | undefined;
  try {
    for await (const state of client.runNodeOperation({ node, spec: { work } }, signal)) {
      if (state.operation === undefined) continue;
      const previous = last;
      last = viewOperation(state.operation);
      const transfer = transferOf(last);
      if (isJson) printJsonLine({ node: name, ...last });
      else if (isLive)
        area.draw([renderTransfer(transfer, { ...look, width: Math.max(1, stdout.size().columns - 1) })]);
      else if (last.state === "running" && last.progress?.phase !== previous?.progress?.phase)
        print([`${formatMoment(clock.now())} ${printable(name)}: ${transfer.activity}`]);
    }
  } catch (error) {
    if (!(error instanceof StopRequested)) throw error;
    area.clear();
    const what = last === undefined ? "the operation, if it was started," : `operation ${printable(last.operationId)}`;
    note([`Stopped watching: ${what} continues on ${printable(name)}.`]);
    return exitCodeOfSignal(error.stopSignal);
  }
  area.clear();
  if (last?.state === "succeeded") {
    if (!isJson) print([success]);
    return exitCode.done;
  }
  if (last?.state !== "failed" && last?.state !== "cancelled")
    throw new Failure("internal", `the controller stopped reporting the operation on ${name} before it ended`);
  if (!isJson) {
    const { failure } = last;
    const [first = `the operation was ${last.state}`, ...rest] =
      failure === null ? [] : renderFailure(failure, remedyFor(failure.reason, name, device));
    note([`error: ${isOneOfSeveral ? `${printable(name)}: ` : ""}${first}`, ...rest.map((line) => `  ${line}`)]);
  }
  return exitCode.failed;
}
