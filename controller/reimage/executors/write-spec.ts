import type { OperationSpec } from "../../../proto/operation/operation-spec.ts";
import { firstPartitionBytes, type Image, rootPartitionOf } from "../../images/catalogue/image.ts";
import type { NodeSystem } from "../../profiles/node-system.ts";
import type { EffectOf } from "../machine/effect.ts";
import type { ReimageState } from "../machine/reimage-state.ts";
import { planCardChanges } from "../plan/plan-card-changes.ts";
import type { World } from "./executor.ts";

/** What the preflight has found, and when the write began. */
export type PlannedWrite = Pick<EffectOf<"start-write">, "disk" | "diskFirmware" | "startedAt">;

/**
 * The work that an agent is asked for: the same for every repetition, so that it recognises its operation.
 *
 * @param configured what the system is to be, as it was confirmed
 */
export function writeSpec(
  { disk, diskFirmware, startedAt }: PlannedWrite,
  state: ReimageState,
  image: Image,
  world: World,
  configured?: NodeSystem,
): OperationSpec & { readonly kind: "write-image" } {
  const urls = world.packUrls(image);
  const controllers = world.controllers?.() ?? [];
  const { offsetBytes, lengthBytes, filesystemType } = rootPartitionOf(image);
  const { growth, ids } = planCardChanges(image, state.card, { nodeId: state.nodeId, disk });
  const resident = state.noResident === undefined;
  const system = {
    root: { offsetBytes, lengthBytes, filesystemType },
    stamp: {
      imageName: state.imageName,
      imageDigest: image.digest,
      reimageId: state.id,
      installedAt: new Date(startedAt).toISOString(),
      ...(configured && { config: configured.summary.digest }),
    },
  };
  return {
    kind: "write-image",
    device: disk,
    source: {
      url: urls.pack,
      storedBytes: image.storedBytes,
      sizeBytes: image.sizeBytes,
      digest: image.digest,
      firstPartitionBytes: firstPartitionBytes(image),
      manifest: {
        url: urls.manifest,
        digest: image.pack.manifestDigest,
        manifestBytes: image.pack.manifestBytes,
      },
    },
    full: state.full ?? false,
    ...(growth && { growth }),
    ...(ids && { ids }),
    ...((resident || diskFirmware !== undefined) && {
      customisation: {
        ...(resident && system),
        ...(resident && configured && { system: configured.config }),
        resident,
        ...(diskFirmware && { diskFirmware }),
        ...(resident && controllers.length > 0 && { settings: { node: state.nodeId, controllers } }),
      },
    }),
  };
}
