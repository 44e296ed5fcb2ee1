import { Failure } from "../../../proto/failure.ts";
import { shortConfig } from "../../profiles/node-system.ts";
import type { Proof } from "../plan/rollout.ts";
import type { Sighting } from "./reimage-event.ts";
import type { PhaseOf, ReimageState } from "./reimage-state.ts";

/**
 * Whether a boot proves the reimage. It does when the agent is resident in a system that bears the stamp of exactly
 * this reimage, image and config, and that runs from the chosen disk. The stamp is what identifies the disk: only the disk
 * that this reimage wrote holds it. The disk's name is held against it by kind only ("mmcblk", "sd", "nvme"), since
 * another kernel may number the same disk differently (/dev/mmcblk0 in the agent, /dev/mmcblk1 in the image).
 */
export function judgeProof(
  state: ReimageState,
  phase: Pick<PhaseOf<"rebooting" | "proving">, "disk" | "previousBootId">,
  sighting: Sighting,
  now: number,
): Proof | Failure {
  const { nodeName, imageName, imageDigest } = state;
  const { installed, rootDevice, rootDisk } = sighting;
  const came = (where: string): string => `${nodeName} came back, but ${where}`;
  if (sighting.role !== "resident") {
    return new Failure(
      "wrong-system",
      came("in the netbooted agent although its boot target was local; ") +
        "check its boot order and the boot files that it fetched (controller events)",
      { expected: `${imageName} on ${phase.disk}`, found: `netbooted agent, root on ${rootDevice}` },
    );
  }
  if (installed === undefined) {
    return new Failure(
      "wrong-system",
      came(`on a system on ${rootDevice} that Pallet did not install; check its boot order and its other disks`),
      { expected: `stamp of reimage ${state.id}`, found: "no stamp" },
    );
  }
  if (installed.imageDigest !== imageDigest) {
    return new Failure("wrong-system", came(`on image ${installed.imageName} instead of ${imageName}`), {
      expected: imageDigest,
      found: installed.imageDigest,
    });
  }
  if (installed.reimageId !== state.id) {
    return new Failure(
      "wrong-system",
      came(`on ${imageName} from ${rootDevice} as installed by an earlier reimage, not on what was just written`),
      { expected: state.id, found: installed.reimageId },
    );
  }
  if (rootDisk === "" || kindOfDisk(rootDisk) !== kindOfDisk(phase.disk)) {
    return new Failure("wrong-system", came(`with its root on ${rootDevice} instead of ${phase.disk}`), {
      expected: phase.disk,
      found: rootDisk || rootDevice,
    });
  }
  if (installed.config !== state.config?.digest) {
    return new Failure("wrong-system", came(`on ${imageName} with another config than its profiles say`), {
      expected: describeConfig(state.config?.digest),
      found: describeConfig(installed.config),
    });
  }
  return {
    kind: "resident",
    previousBootId: phase.previousBootId,
    bootId: sighting.bootId,
    rootDevice,
    imageDigest: installed.imageDigest,
    ...(installed.config !== undefined && { config: installed.config }),
    provedAt: now,
  };
}

function describeConfig(digest: string | undefined): string {
  return digest === undefined ? "no config" : `config ${shortConfig(digest)}`;
}

/** "/dev/mmcblk0" and "/dev/mmcblk1" are of one kind, "/dev/sda" is of another. */
function kindOfDisk(path: string): string {
  return /^\/dev\/(sd|vd|hd)[a-z]+$/.exec(path)?.[1] ?? path.replace(/\d+/g, "");
}
