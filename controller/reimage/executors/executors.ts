import type { Effect, EffectType } from "../machine/effect.ts";

import { confirmAgent } from "./confirm-agent.ts";
import { type Executor, type ExecutorContext, recordOfBoard } from "./executor.ts";
import { inspectNode } from "./inspect-node.ts";
import { preflight } from "./preflight.ts";
import { probeNode } from "./probe-node.ts";
import { rebootNode } from "./reboot-node.ts";
import { recordEvent } from "./record-event.ts";
import { queueHooks, runHooks } from "./run-hooks.ts";
import { sendBack } from "./send-back.ts";
import { setBootTarget } from "./set-boot-target.ts";
import { cancelWrite, startWrite, watchWrite } from "./write.ts";

/** One executor for every kind of effect; the compiler ensures that none is missing. */
const executors: { readonly [Type in EffectType]: Executor<Type> } = {
  "run-hooks": runHooks,
  "queue-hooks": queueHooks,
  "set-boot-target": setBootTarget,
  "inspect-node": inspectNode,
  "confirm-agent": confirmAgent,
  "reboot-node": rebootNode,
  "send-back": sendBack,
  "probe-node": probeNode,
  preflight,
  "start-write": startWrite,
  "watch-write": watchWrite,
  "cancel-write": cancelWrite,

  "arm-timer": ({ timer, delayMs }, { world, signal, answer }) => {
    const type = timer === "deadline" ? "deadline-passed" : "retry-due";
    world.clock.setTimeout(() => answer({ type }), delayMs, signal);
  },

  "void-proof": (_effect, context) => {
    if (recordOfBoard(context) === undefined) return;
    const { state, world } = context;
    const { nodeId, imageDigest, id, noResident, config } = state;
    const next = { imageDigest, reimageId: id, resident: noResident === undefined, ...(config && { config }) };
    world.nodes.voidProof(nodeId, next);
  },

  "restore-node": (_effect, { state, world }) => {
    if (state.before === undefined || world.nodes.get(state.nodeId) === undefined) return;
    world.nodes.giveBack(state.nodeId, state.id, state.before);
  },

  "record-proof": (_effect, context) => {
    const { state, world } = context;
    if (state.phase.name !== "proved" || recordOfBoard(context) === undefined) return;
    const { imageName, imageDigest } = state;
    world.nodes.setProved(state.nodeId, { imageName, imageDigest, kind: state.phase.proof.kind });
  },

  "record-event": ({ event: type, severity, message }, { state, world }) => {
    const { nodeId, nodeName, rolloutId } = state;
    recordEvent(world, { type, severity, nodeId, nodeName, rolloutId, message });
  },

  settle: ({ of }, { answer }) => answer({ type: "settled", of }),
};

/** Carries out an effect; see Executor for what its failures mean. */
export function carryOut(effect: Effect, context: ExecutorContext): void | Promise<void> {
  // The table pairs each type with its executor, which the compiler cannot follow through an index.
  return (executors[effect.type] as Executor<EffectType>)(effect, context);
}
