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

/** What a card with the old image needs, in words. */
export function renderGain({ writeBytes, fetchBytes, plainWriteBytes }: GainView, from: string): string {
  const without = plainWriteBytes === null ? "" : `; without deriving, it would write ${formatBytes(plainWriteBytes)}`;
  return `a node with ${printable(from)} on its card writes ${formatBytes(writeBytes)} and fetches ${formatBytes(fetchBytes)}${without}`;
}
