/**
 * The LEDs of a Pi by which a person can find it, best first: activity, then power; today's names before the old ones.
 */
export const knownLeds = ["ACT", "led0", "PWR", "led1"] as const;

/** The best of the LEDs that there are, by their names in /sys/class/leds. */
export function selectLed(present: readonly string[]): string | undefined {
  return knownLeds.find((name) => present.includes(name));
}

/**
 * What switches an LED now: the kernel lists every trigger and puts the chosen one in brackets, "none [mmc0] timer".
 */
export function selectedTrigger(triggers: string): string | undefined {
  return /\[([^\]]+)\]/.exec(triggers)?.[1];
}
