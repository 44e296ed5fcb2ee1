// Without letters and digits that look alike: people read these ids to each other.
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

/**
 * An id for a rollout, chosen here so that a start whose answer was lost can be repeated: the time in UTC, which sorts,
 * and four random characters, for example "20261123-001705-k3f9".
 *
 * @param now milliseconds since the epoch
 * @param random gives numbers from 0 up to, not including, 1
 */
export function newRolloutId(now: number, random: () => number): string {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  const suffix = Array.from({ length: 4 }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
  return `${time}-${suffix}`;
}
