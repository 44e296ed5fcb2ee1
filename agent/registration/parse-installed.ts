// The namespace, not the name z: of that a bundler can leave out what is not used, 45 languages among it.
import * as z from "zod";
import { Failure } from "../../proto/failure.ts";
import { DIGEST_FORM, parseImageDigest } from "../../proto/pack/digest.ts";
import type { InstalledSystem } from "../operations/operation.ts";

const schema = z.object({
  imageName: z.string().min(1),
  imageDigest: z.string().transform((text, context) => {
    const digest = parseImageDigest(text);
    if (digest !== undefined) return digest;
    context.addIssue(`must be ${DIGEST_FORM}`);
    return z.NEVER;
  }),
  reimageId: z.string().min(1),
  installedAt: z.iso.datetime({ offset: true }),
});

/** Parses the stamp /etc/pallet/installed.json. Throws a Failure "invalid" that says what is wrong with it. */
export function parseInstalled(text: string): InstalledSystem {
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
