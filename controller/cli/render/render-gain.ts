import type { DerivedImage } from "../../../proto/gen/pallet/v1/controller.ts";
import { toNumber } from "../view/wire-values.ts";
import { printable } from "./printable.ts";
import { formatBytes } from "./units.ts";

/** What deriving saved, as `--json` shows it; lengths in bytes. */
export interface GainView {
  readonly writeBytes: number;
  readonly fetchBytes: number;
  readonly plainWriteBytes: number | null;
}

/** Converts from the wire. */
export function viewGain({ writeBytes, fetchBytes, plainWriteBytes }: DerivedImage): GainView {
  return {
    writeBytes: toNumber(writeBytes),
    fetchBytes: toNumber(fetchBytes),
    plainWriteBytes: plainWriteBytes === undefined ? null : toNumber(plainWriteBytes),
  };
}

/** What a card needs that holds the old image, in words. */
export function renderGain({ writeBytes, fetchBytes, plainWriteBytes }: GainView, from: string): string {
  const without = plainWriteBytes === null ? "" : `; not derived, it would write ${formatBytes(plainWriteBytes)}`;
  return `a card that holds ${printable(from)} writes ${formatBytes(writeBytes)} and fetches ${formatBytes(fetchBytes)}${without}`;
}
