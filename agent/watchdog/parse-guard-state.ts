/** Whether the hardware watchdog restarts this node when its agent falls silent. */
export type GuardState =
  | { readonly kind: "on"; readonly silenceSeconds: number }
  /** Disabled by the kernel word pallet.watchdog=off. */
  | { readonly kind: "off" }
  /** The initrd found no watchdog. */
  | { readonly kind: "none" };

/** Reads what the initrd leaves behind: "on SECONDS", "off" or "none"; undefined for anything else. */
export function parseGuardState(text: string): GuardState | undefined {
  const match = /^(?:on (\d{1,6})|(off|none))\n?$/.exec(text);
  if (match === null) return undefined;
  const [, seconds, kind] = match;
  return seconds === undefined ? { kind: kind as "off" | "none" } : { kind: "on", silenceSeconds: Number(seconds) };
}
