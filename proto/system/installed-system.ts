// The namespace, not the name z: of that a bundler can leave out what is not used, 45 languages among it.
import * as z from "zod";
import { Failure } from "../failure.ts";
import { digestForm, type ImageDigest, parseImageDigest } from "../pack/digest.ts";

/** What a reimage stamps into the system that it installs; see pallet.v1.InstalledSystem. */
export interface InstalledSystem {
  readonly imageName: string;
  readonly imageDigest: ImageDigest;
  readonly reimageId: string;
  /** ISO 8601. */
  readonly installedAt: string;
  /** Partitions that did not keep their ids; absent when all did, and in stamps of older agents. */
  readonly ids?: readonly PartitionIdChange[];
  /** Digest of the SystemConfig that was applied: 64 lower-case hexadecimal digits; absent if none was. */
  readonly config?: string;
}

/** A stamped system on a disk that nobody runs; see pallet.v1.FoundSystem. */
export interface FoundSystem {
  /** Path of the whole disk. */
  readonly disk: string;
  /** Path of the partition that holds the stamp. */
  readonly device: string;
  readonly installed: InstalledSystem;
}

/** The PARTUUID of a partition in the image, and on the card; see pallet.v1.PartitionIdChange. Lower case. */
export interface PartitionIdChange {
  readonly partitionNumber: number;
  readonly imageUuid: string;
  readonly cardUuid: string;
}

/** Where the stamp is in an installed system. */
export const stampPath = "/etc/pallet/installed.json";

/** The form of a config's digest. */
export const configDigestForm = /^[0-9a-f]{64}$/;

const schema = z.object({
  imageName: z.string().min(1),
  imageDigest: z.string().transform((text, context) => {
    const digest = parseImageDigest(text);
    if (digest !== undefined) return digest;
    context.addIssue(`must be ${digestForm}`);
    return z.NEVER;
  }),
  reimageId: z.string().min(1),
  installedAt: z.iso.datetime({ offset: true }),
  ids: z
    .array(z.object({ partitionNumber: z.int().positive(), imageUuid: z.string(), cardUuid: z.string() }))
    .exactOptional(),
  config: z.string().regex(configDigestForm).exactOptional(),
});

/** The text of the stamp: JSON, for people too. */
export function renderStamp({ ids = [], ...installed }: InstalledSystem): string {
  const { imageName, imageDigest, reimageId, installedAt, config } = installed;
  const stamp = {
    ...{ imageName, imageDigest, reimageId, installedAt },
    ...(ids.length > 0 && { ids }),
    ...(config !== undefined && { config }),
  };
  return `${JSON.stringify(stamp, null, 2)}\n`;
}

/** Parses the text of the stamp. Throws a Failure "invalid" that says what is wrong with it. */
export function parseStamp(text: string): InstalledSystem {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid", "the stamp of the installed system is not JSON", { cause });
  }
  const result = schema.safeParse(json);
  if (!result.success) {
    throw new Failure("invalid", `the stamp of the installed system is broken: ${z.prettifyError(result.error)}`);
  }
  return result.data;
}
