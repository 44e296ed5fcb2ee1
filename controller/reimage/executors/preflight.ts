import { Failure } from "../../../proto/failure.ts";
import { isSilence } from "../../agents/agent-error.ts";
import { withAgentOf } from "../../agents/reach-agent.ts";
import type { Answer } from "../machine/reimage-event.ts";
import { identityOf } from "../plan/disk-identity.ts";
import { judgeSystem } from "../plan/judge-system.ts";
import { judgeWay } from "../plan/judge-way.ts";
import { planDiskFirmware } from "../plan/plan-disk-firmware.ts";
import { selectDisk } from "../plan/select-disk.ts";
import { type Executor, nodeOf } from "./executor.ts";
import { imageOf } from "./image-of.ts";

/**
 * Asks the agent for the node's disks and chooses the one to erase, and what becomes of the firmware on it; refuses an
 * image that this board could not boot, or in which this agent could not install the resident agent that is asked for.
 * An agent that has restarted in the same boot since it registered sees the same disks.
 */
export const preflight: Executor<"preflight"> = async (effect, context) => {
  const { state, world, signal, answer } = context;
  try {
    const image = await imageOf(context);
    const { bootId } = effect.agent;
    const verdict = await withAgentOf(
      nodeOf(context),
      world.agents,
      async (agent, { facts, agent: { instanceId, residentProgram } }): Promise<Answer> => {
        const misfit =
          judgeWay(image, facts.model, world.loader).refusal ??
          (state.noResident === undefined ? judgeSystem(image, residentProgram, state.card) : undefined);
        if (misfit !== undefined) return { type: "preflight-refused", failure: misfit };
        const disk = selectDisk(await agent.listBlockDevices(signal), {
          minBytes: image.sizeBytes,
          root: facts.root,
          ...(effect.disk !== undefined && { path: effect.disk }),
          ...(effect.identity !== undefined && { identity: effect.identity }),
        });
        if (disk instanceof Failure) return { type: "preflight-refused", failure: disk };
        const diskFirmware = planDiskFirmware(world.cardFirmware, facts.model, image);
        return {
          type: "preflight-passed",
          agent: { bootId, instanceId },
          disk: disk.path,
          identity: identityOf(disk),
          ...(diskFirmware && { diskFirmware }),
        };
      },
      { expected: { bootId, role: "netboot" }, signal },
    );
    answer(verdict);
  } catch (error) {
    const failure = Failure.from(error);
    answer({ type: isSilence(error) ? "agent-unreachable" : "preflight-refused", failure });
  }
};
