import { shortDigest } from "../../../proto/pack/digest.ts";
import type { EventType } from "../../events/event.ts";
import type { PhaseOf, ReimageState } from "./reimage-state.ts";
import { describeVerdict } from "./verdict.ts";

/** One line of the event log. */
export interface EventLine {
  readonly event: EventType;
  readonly severity: "info" | "warning" | "error";
  readonly message: string;
}

/** What to tell when a reimage enters the phase that `state` is in, coming from `before`. */
export function describeEntry(state: ReimageState, before: ReimageState): EventLine {
  const { phase, nodeName } = state;
  const changed = (message: string): EventLine => ({ event: "reimage-phase-changed", severity: "info", message });
  const restarted = (message: string): EventLine => ({
    event: "reimage-write-restarted",
    severity: "warning",
    message,
  });
  switch (phase.name) {
    case "queued":
      return changed(`${nodeName} is waiting for its turn`);
    case "preparing":
      return changed(`running the before-reimage hooks of ${nodeName}`);
    case "netbooting":
      if (before.phase.name === "writing") {
        return restarted(
          `${nodeName} or its agent restarted during write attempt ${state.attempts}; restarting the write`,
        );
      }
      if (phase.rebootAskedOf !== undefined) {
        return changed(`${nodeName} runs its installed system; asking it to reboot into the agent`);
      }
      if (before.phase.name === "queued" || before.phase.name === "preparing") {
        return changed(
          `waiting for ${nodeName} to netboot into the agent; if it runs a system without a resident agent, or is off, ` +
            "reboot or power-cycle it by hand",
        );
      }
      return changed(`waiting for ${nodeName} to netboot into the agent`);
    case "checking":
      if (before.phase.name === "writing") {
        return restarted(
          `restarting the write on ${nodeName} (attempt ${state.attempts} failed): ${phase.obstacle ?? "unknown reason"}`,
        );
      }
      if (before.phase.name === "waiting" && phase.mayWrite === true) {
        return changed(`it is ${nodeName}'s turn to write; checking its disks once more`);
      }
      return changed(`${nodeName} is in the agent; checking its disks`);
    case "waiting":
      return changed(`${nodeName} is ready and waiting for its turn to write`);
    case "writing":
      return changed(
        `writing ${state.imageName} to ${phase.disk} of ${nodeName} (attempt ${state.attempts})${firmwareClause(phase)}`,
      );
    case "cancelling":
      return changed(`cancelling the write on ${nodeName}`);
    case "rebooting":
      if (phase.returnsToAgent > 0) {
        const message = `${nodeName} came back in the agent although its boot target is local; asking it once more to reboot`;
        return { event: "reimage-phase-changed", severity: "warning", message };
      }
      return changed(
        `${phase.disk} of ${nodeName} is written and verified${phase.growth === undefined ? "" : ` (${phase.growth})`}; ` +
          `rebooting ${nodeName} into it`,
      );
    case "proving":
      return changed(
        state.noResident === undefined
          ? `${nodeName} is booting; waiting for its proof`
          : `${nodeName} is booting; waiting until it has fetched the kernel of ${state.imageName} and answers (weak proof)`,
      );
    case "proved": {
      if (phase.proof.kind === "weak") {
        const message =
          `${nodeName} booted ${state.imageName}, as far as can be seen from outside (weak proof): it fetched ` +
          `"${phase.proof.kernelPath}", and ${phase.proof.answer}`;
        return { event: "reimage-proved", severity: "info", message };
      }
      const { rootDevice, imageDigest } = phase.proof;
      const late = phase.late
        ? `, late: its reimage had ${before.phase.name === "cancelled" ? "been cancelled" : "failed"} before; its boot target is local`
        : "";
      const message = `${nodeName} proved that it runs ${state.imageName} (${shortDigest(imageDigest)}) from ${rootDevice}${late}`;
      return { event: "reimage-proved", severity: "info", message };
    }
    case "failed":
      return {
        event: "reimage-failed",
        severity: "error",
        message: `the reimage of ${nodeName} failed: ${phase.failure.message}${verdictClause(state)}`,
      };
    case "cancelled":
      return { event: "reimage-cancelled", severity: "warning", message: phase.failure.message };
  }
}

function verdictClause(state: ReimageState): string {
  const { phase } = state;
  return phase.name === "failed" && phase.verdict !== undefined ? `; ${describeVerdict(phase.verdict, state)}` : "";
}

/** What was last seen of the node's boot, to complete "... ; last seen: ". */
export function describeLastSeen(state: ReimageState, now: number): string {
  if (state.bootStage === undefined) return "it has fetched no boot file since the reimage began";
  const { path, at } = state.bootStage;
  return `it was last seen fetching "${path}" ${describeSpan(now - at)} ago`;
}

/** A time span for a sentence: "1.5 s", "90 s", "10 min". */
export function describeSpan(ms: number): string {
  if (ms < 10_000) return `${Math.round(ms / 100) / 10} s`;
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** What is done about firmware on the card, as the end of a sentence. */
function firmwareClause({ diskFirmware }: PhaseOf<"writing">): string {
  if (diskFirmware === undefined) return "";
  const how =
    diskFirmware.action === "rename" ? `${diskFirmware.files.join(", ")} renamed` : "its FAT partition emptied";
  return `, so that the board's own firmware does not boot: ${how}`;
}
