import { status } from "@grpc/grpc-js";
import { isServiceError } from "../../../proto/grpc/failure-metadata.ts";
import type { CommandContext } from "../connection/command-context.ts";
import { ControllerError } from "../connection/controller-error.ts";
import { printable } from "../render/printable.ts";
import { canAsk, confirm } from "./confirm.ts";

/**
 * Forgets a node, called `name` for people. Where that has consequences the controller refuses it at first, and says which: then they are shown,
 * and the question is asked. Returns whether it was forgotten. Throws the refusal where there is nobody to ask.
 */
export async function forgetNode(context: CommandContext, node: string, yes = false, name = node): Promise<boolean> {
  const { client, signal, note, print } = context;
  try {
    await client.forgetNode({ node, force: yes }, signal);
  } catch (error) {
    if (!canAsk(context) || !isRefusal(error)) throw error;
    // A rollout at work is no question.
    if ((await client.getNode({ node }, signal)).node?.rolloutId !== "") throw error;
    note([printable(error.message)]);
    if (!(await confirm(context, `Forget ${printable(name)}? Type yes: `))) {
      note(["Not confirmed; nothing was changed."]);
      return false;
    }
    await client.forgetNode({ node, force: true }, signal);
  }
  print([`forgot ${printable(name)}`]);
  return true;
}

function isRefusal(error: unknown): error is ControllerError {
  if (!(error instanceof ControllerError)) return false;
  return isServiceError(error.cause) && error.cause.code === status.FAILED_PRECONDITION;
}
