import { Failure } from "../../../proto/failure.ts";
import { type Executor, recordOfBoard } from "./executor.ts";

/** Flips where the node's next boot goes. A forgotten node, and another board in its place, boot the agent anyway. */
export const setBootTarget: Executor<"set-boot-target"> = ({ target }, context) => {
  const { state, world } = context;
  const { nodeId, nodeName, imageDigest } = state;
  if (recordOfBoard(context) === undefined) {
    if (target === "agent") return;
    throw new Failure("invalid", `${nodeName} (${nodeId}) was forgotten, or replaced, during its reimage`);
  }
  world.nodes.setBootTarget(nodeId, target === "agent" ? { kind: "agent" } : { kind: "local", imageDigest });
};
