import { Failure } from "../../../proto/failure.ts";
import type { Executor } from "./executor.ts";

/** Flips where the node's next boot goes. A forgotten node boots the agent anyway. */
export const setBootTarget: Executor<"set-boot-target"> = ({ target }, { state, world }) => {
  const { nodeId, nodeName, imageDigest } = state;
  if (world.nodes.get(nodeId) === undefined) {
    if (target === "agent") return;
    throw new Failure("invalid", `${nodeName} (${nodeId}) was forgotten during its reimage`);
  }
  world.nodes.setBootTarget(nodeId, target === "agent" ? { kind: "agent" } : { kind: "local", imageDigest });
};
