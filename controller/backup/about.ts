import * as z from "zod";
import { Failure } from "../../proto/failure.ts";

/** The form of the archives that are written. One that an older Pallet cannot read gets a higher number. */
export const backupFormat = 1;

const schema = z.object({
  format: z.int().min(1),
  pallet: z.string().min(1).max(200),
  schema: z.int().min(1),
  takenAt: z.iso.datetime(),
  authority: z.string().max(200),
  nodes: z.int().min(0),
  images: z
    .array(z.object({ name: z.string().min(1).max(200), digest: z.string().max(200), isIn: z.boolean() }))
    .max(100_000),
  leftOut: z.array(z.string().max(10_000)).max(100_000),
});

/** What a backup says of itself, in its first file. */
export interface BackupAbout {
  readonly format: number;
  /** Version of the Pallet that took it. */
  readonly pallet: string;
  /** Version of the database's schema. */
  readonly schema: number;
  /** ISO 8601, UTC. */
  readonly takenAt: string;
  /** Id of the certificate authority that signs. */
  readonly authority: string;
  /** How many nodes were known. */
  readonly nodes: number;
  /** The catalogue, and whether the image itself is in the backup. */
  readonly images: readonly { readonly name: string; readonly digest: string; readonly isIn: boolean }[];
  /** What belongs to the controller and is not in the backup, a clause each. */
  readonly leftOut: readonly string[];
}

/** JSON, for people too. */
export function renderAbout(about: BackupAbout): string {
  return `${JSON.stringify(about, null, 2)}\n`;
}

/**
 * Reads what a backup says of itself. Throws a Failure (invalid) when it says nothing of the kind, or was taken by a newer
 * Pallet than can read it.
 *
 * @param newestSchema of the databases that this Pallet knows
 */
export function parseAbout(text: string, newestSchema: number): BackupAbout {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid", "what it says of itself is not JSON", { cause });
  }
  // Of a newer form nothing else has to be as it is known here.
  const newer = z.object({ format: z.int().min(backupFormat + 1), pallet: z.string().optional() }).safeParse(json);
  if (newer.success) throw takenByNewer(newer.data.pallet);
  const result = schema.safeParse(json);
  if (!result.success)
    throw new Failure("invalid", `what it says of itself is broken: ${z.prettifyError(result.error)}`);
  if (result.data.schema > newestSchema) throw takenByNewer(result.data.pallet);
  return result.data;
}

function takenByNewer(version = "unknown"): Failure {
  return new Failure(
    "invalid",
    `it was taken by a newer Pallet (${version}): restore it with that one, or a later one`,
  );
}
