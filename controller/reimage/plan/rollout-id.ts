import type { RolloutId } from "./rollout.ts";

// Without letters and digits that look alike: people read these ids aloud.
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

/**
 * An id for a rollout: the time in UTC, which sorts, and four random characters, for example "20261123-001705-k3f9".
 * Who starts a rollout chooses it, so that the start can be repeated if its answer was lost.
 *
 * @param now milliseconds since the epoch
 * @param random returns numbers in [0, 1)
 */
export function newRolloutId(now: number, random: () => number = Math.random): RolloutId {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  const suffix = Array.from({ length: 4 }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
  return `${time}-${suffix}` as RolloutId;
}
