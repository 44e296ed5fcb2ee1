import { Failure } from "../../../proto/failure.ts";
import { identityOf } from "../disk-identity.ts";
import { planDiskFirmware } from "../plan-disk-firmware.ts";
import type { Answer } from "../reimage-event.ts";
import { selectDisk } from "../select-disk.ts";
import { answeredByAnother, askAgent, isSilence } from "./ask-agent.ts";
import type { Executor } from "./executor.ts";

/**
 * Asks the agent for the node's disks and chooses the one to erase, and what becomes of the firmware on it. What answers at the node's address has to be in the
 * boot that registered: another machine may have that address by now, and its disks are none of ours.
 */
export const preflight: Executor<"preflight"> = async (effect, context) => {
  const { state, world, signal, answer } = context;
  try {
    const verdict = await askAgent(context, async (agent): Promise<Answer> => {
      const image = await world.images.getByDigest(state.imageDigest);
      if (image === undefined) {
        const message = `image ${state.imageName} is no longer in the catalogue`;
        return { type: "preflight-refused", failure: new Failure("invalid", message) };
      }
      const found = await agent.getNode(signal);
      if (found.facts.bootId !== effect.agent.bootId || found.agent.role !== "netboot") {
        return answeredByAnother(state);
      }
      const disk = selectDisk(await agent.listBlockDevices(signal), {
        minBytes: image.sizeBytes,
        rootDisk: found.facts.root.disk,
        ...(effect.disk !== undefined && { path: effect.disk }),
        ...(effect.identity !== undefined && { identity: effect.identity }),
      });
      if (disk instanceof Failure) return { type: "preflight-refused", failure: disk };
      const { bootId, model } = found.facts;
      const diskFirmware = planDiskFirmware(world.cardFirmware, model, image);
      return {
        type: "preflight-passed",
        agent: { bootId, instanceId: found.agent.instanceId },
        disk: disk.path,
        identity: identityOf(disk),
        ...(diskFirmware && { diskFirmware }),
      };
    });
    answer(verdict);
  } catch (error) {
    const failure = Failure.from(error);
    answer({ type: isSilence(error) ? "agent-unreachable" : "preflight-refused", failure });
  }
};
