import { Failure } from "../../../proto/failure.ts";
import { judgeConfig } from "../../../proto/system/config/judge-config.ts";
import { judgeOwnSettings } from "../../images/boot/judge-own-settings.ts";
import type { Image } from "../../images/catalogue/image.ts";
import { describeFromHooks, type NodeSystem, shortConfig } from "../../profiles/node-system.ts";

/** Why an image cannot be made what the profiles of a node say, before anything is erased; undefined when it can. */
export function judgeProfiles(
  image: Pick<Image, "name" | "partitions" | "rootPartition" | "boot" | "abilities">,
  { config, summary }: NodeSystem,
  noResident: boolean,
): Failure | undefined {
  const named = describeProfiles(summary.profiles);
  if (noResident)
    return new Failure(
      "unsupported",
      `${named} would change the system, and --no-resident leaves the image untouched: give --no-profiles too, or reimage without --no-resident`,
    );
  if (image.abilities === undefined)
    return new Failure(
      "unsupported",
      `what ${named} can change in ${image.name} is not known: an older Pallet added it, or its root filesystem cannot be examined; add the ` +
        "image again under another name (controller images add FILE --name NAME), or reimage with --no-profiles",
    );
  const refusals = [...judgeConfig(config, image.abilities), ...judgeOwnSettings(image, config)];
  if (refusals.length === 0) return undefined;
  return new Failure("unsupported", [`${image.name} cannot be made what ${named} says:`, ...refusals].join("\n  "));
}

/** The step that configures the new system; undefined when its profiles say nothing. */
export function describeConfiguring(system: NodeSystem | undefined): string | undefined {
  if (system === undefined) return undefined;
  const from = describeFromHooks(system);
  const given = from.length === 0 ? "" : `, with ${from.join(", ")}`;
  return `Configure the new system by ${describeProfiles(system.summary.profiles)}${given}.`;
}

/** Profiles within a sentence. */
export function describeProfiles(profiles: readonly string[]): string {
  return profiles.length === 1 ? `the profile ${profiles[0]}` : `the profiles ${profiles.join(", ")}`;
}

/**
 * Why a node must not be configured as its profiles say now; undefined when that is what was confirmed.
 *
 * @param mayBeWritten whether a write for this reimage may have touched the card already
 */
export function judgeConfirmedConfig(
  nodeName: string,
  confirmed: string | undefined,
  now: string | undefined,
  mayBeWritten = false,
): Failure | undefined {
  if (confirmed === now) return undefined;
  const so = mayBeWritten ? "so it is not written again" : "so nothing was erased";
  return new Failure(
    "invalid",
    `${nodeName}: its profiles say something else than what was confirmed, ${so}; look at the plan again: ` +
      `controller reimage ${nodeName} --dry-run`,
    { expected: describeDigest(confirmed), found: describeDigest(now) },
  );
}

function describeDigest(digest: string | undefined): string {
  return digest === undefined ? "no config" : `config ${shortConfig(digest)}`;
}
