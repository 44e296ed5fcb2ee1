import type { CardIds, Customisation, Growth, Place } from "../../proto/operation/operation-spec.ts";
import type { GrowthResult, WriteResult } from "../../proto/operation/write-result.ts";
import type { PartitionIdChange } from "../../proto/system/installed-system.ts";
import { renderCardTable } from "../card/render-card-table.ts";
import type { CardTable, PlacedBytes } from "../card/table-changes.ts";
import type { OperationContext } from "../operations/executor.ts";

/** The attempt to grow a filesystem has damaged it: what the image has there must be written again. */
export class DamagedByGrowth extends Error {}

/** What is done to a disk that holds an image, and no table yet. */
export interface FitParts {
  readonly customise: (
    device: string,
    customisation: Customisation,
    signal: AbortSignal,
  ) => Promise<Pick<WriteResult, "hostKeys">>;
  /** Grows the root filesystem to this length, when its kind can be grown; says why not otherwise. */
  readonly growFilesystem: (
    device: string,
    growth: Growth,
    lengthBytes: number,
    signal: AbortSignal,
  ) => Promise<{ readonly grown: boolean; readonly whyNot?: string; readonly damaged?: boolean }>;
  /** Replaces partition ids in the files in which the system names its partitions. */
  readonly replaceIds: (
    device: string,
    ids: CardIds,
    changes: readonly PartitionIdChange[],
    signal: AbortSignal,
  ) => Promise<void>;
}

/** What to do. */
export interface FitRequest {
  readonly device: string;
  readonly deviceBytes: number;
  readonly customisation?: Customisation;
  readonly growth?: Growth;
  readonly ids?: CardIds;
}

/**
 * Fits an image to the card that it is on: its table in memory, its root filesystem, its files. The filesystem comes
 * first, so that what is installed finds the room. Returns what was made, and the backup of the table.
 *
 * @param table everything before the first partition; changed in place
 */
export async function fitToCard(
  { device, deviceBytes, customisation, growth, ids }: FitRequest,
  table: Buffer,
  parts: FitParts,
  { signal, progress, log }: OperationContext,
): Promise<{ readonly result: WriteResult; readonly backup?: PlacedBytes }> {
  const fitted = renderCardTable(table, { diskBytes: deviceBytes, growth, ids: ids?.partitions });
  fitted.start.copy(table);
  const { backup } = fitted;
  if (customisation !== undefined || growth !== undefined || ids !== undefined) progress.enter("customising");
  const grown = growth && (await grow({ device, growth, fitted, signal }, parts));
  if (grown !== undefined) log.info({ growth: grown }, "the root partition of the card");
  /** Where a filesystem lies now: one that was grown cannot be mounted by the length of the image's partition. */
  const asItIs = <Root extends Place>(root: Root): Root =>
    growth !== undefined && grown !== undefined && root.offsetBytes === growth.offsetBytes
      ? { ...root, lengthBytes: grown.partitionBytes }
      : root;
  if (ids !== undefined) {
    const { root, ...others } = ids;
    await parts.replaceIds(device, { ...others, ...(root && { root: asItIs(root) }) }, fitted.ids, signal);
  }
  let customised: Pick<WriteResult, "hostKeys"> = {};
  if (customisation !== undefined) {
    const { root, stamp } = customisation;
    const stamped = stamp !== undefined && fitted.ids.length > 0 && { stamp: { ...stamp, ids: fitted.ids } };
    customised = await parts.customise(
      device,
      { ...customisation, ...(root && { root: asItIs(root) }), ...stamped },
      signal,
    );
  }
  return { result: { ids: fitted.ids, ...(grown && { growth: grown }), ...customised }, ...(backup && { backup }) };
}

async function grow(
  about: {
    readonly device: string;
    readonly growth: Growth;
    readonly fitted: CardTable;
    readonly signal: AbortSignal;
  },
  parts: FitParts,
): Promise<GrowthResult> {
  const { device, growth, fitted, signal } = about;
  const stays = (limit: string) => ({ partitionBytes: growth.lengthBytes, filesystemGrown: false, limit });
  const found = fitted.growth ?? { whyNot: "it has no table" };
  if ("whyNot" in found) return stays(found.whyNot);
  const { lengthBytes } = found;
  if (lengthBytes <= growth.lengthBytes)
    return stays(
      growth.endBytes === undefined ? "the card has no room behind it" : "there is no room before its bound",
    );
  const { grown, whyNot, damaged } = await parts.growFilesystem(device, growth, lengthBytes, signal);
  if (damaged === true) throw new DamagedByGrowth(whyNot ?? "it was damaged by that");
  return { partitionBytes: lengthBytes, filesystemGrown: grown, ...(whyNot !== undefined && { limit: whyNot }) };
}
