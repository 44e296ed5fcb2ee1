import { refuseProtecting } from "../../../proto/disk/protected-disk.ts";
import { Failure } from "../../../proto/failure.ts";
import { isSilence } from "../../agents/agent-error.ts";
import { withAgentOf } from "../../agents/reach-agent.ts";
import type { Answer } from "../machine/reimage-event.ts";
import { identityOf } from "../plan/disk-identity.ts";
import { type AgentVerdict, describeLeftOut, judgeAgent } from "../plan/judge-agent.ts";
import { judgeProfiles } from "../plan/judge-profiles.ts";
import { judgeSystem } from "../plan/judge-system.ts";
import { judgeWay } from "../plan/judge-way.ts";
import { planDiskFirmware } from "../plan/plan-disk-firmware.ts";
import { judgeSeen } from "../plan/seen-disk.ts";
import { selectDisk } from "../plan/select-disk.ts";
import { confirmedSystem } from "./confirmed-system.ts";
import { type Executor, type ExecutorContext, nodeOf } from "./executor.ts";
import { imageOf } from "./image-of.ts";
import { writeSpec } from "./write-spec.ts";

/**
 * Asks the agent for the node's disks and chooses the one to erase, and what becomes of the firmware on it; refuses an
 * image that this board could not boot, or that would keep the disk from being written again, or in which this agent could not install the resident agent that is asked for,
 * what its profiles say if that is not what was confirmed, or not for this image, and work that this agent does not know.
 * Only the run that was sighted is believed; one that has restarted since registers, and is asked then.
 */
export const preflight: Executor<"preflight"> = async (effect, context) => {
  const { state, world, signal, answer } = context;
  try {
    const image = await imageOf(context);
    const system = await confirmedSystem(context);
    const verdict = await withAgentOf(
      nodeOf(context),
      world.agents,
      async (agent, { facts, agent: info }): Promise<Answer> => {
        const { residentProgram } = info;
        const misfit =
          judgeWay(image, facts.model, world.loader).refusal ??
          refuseProtecting(image.name, image.partitions, world.protectedDisks) ??
          (state.noResident === undefined ? judgeSystem(image, residentProgram, state.card) : undefined) ??
          (system && judgeProfiles(image, system, state.noResident !== undefined));
        if (misfit !== undefined) return { type: "preflight-refused", failure: misfit };
        const disk = selectDisk(await agent.listBlockDevices(signal), {
          minBytes: image.sizeBytes,
          root: facts.root,
          protectedDisks: world.protectedDisks,
          ...(effect.disk !== undefined && { path: effect.disk }),
          ...(effect.identity !== undefined && { identity: effect.identity }),
        });
        if (disk instanceof Failure) return { type: "preflight-refused", failure: disk };
        // Once a write has begun, what was on the disk is gone, and its identity is the state's own.
        const changed = state.attempts === 0 ? judgeSeen(state.nodeName, disk, state.seen) : undefined;
        if (changed !== undefined) return { type: "preflight-refused", failure: changed };
        const diskFirmware = planDiskFirmware(world.cardFirmware, facts.model, image);
        const planned = { disk: disk.path, startedAt: world.clock.now(), ...(diskFirmware && { diskFirmware }) };
        const judged = judgeAgent(writeSpec(planned, state, image, world, system), info);
        if (judged.refusal !== undefined) return { type: "preflight-refused", failure: judged.refusal };
        tellLeftOut(judged, context);
        return {
          type: "preflight-passed",
          agent: effect.agent,
          disk: disk.path,
          identity: identityOf(disk),
          ...(diskFirmware && { diskFirmware }),
        };
      },
      { expected: { ...effect.agent, role: "netboot" }, signal },
    );
    answer(verdict);
  } catch (error) {
    const failure = Failure.from(error);
    answer({ type: isSilence(error) ? "agent-unreachable" : "preflight-refused", failure });
  }
};

function tellLeftOut(judged: AgentVerdict, { state, world }: ExecutorContext): void {
  const message = describeLeftOut(state.nodeName, judged);
  if (message === undefined) return;
  world.events.append({
    type: "agent-outdated",
    severity: "warning",
    nodeId: state.nodeId,
    nodeName: state.nodeName,
    message,
  });
}
