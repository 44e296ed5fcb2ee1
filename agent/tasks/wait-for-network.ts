import { networkInterfaces } from "node:os";
import type { Clock } from "../../proto/time/clock.ts";

/** An address of a network interface that is up, as node:os gives them. */
export interface InterfaceAddress {
  readonly address: string;
  readonly internal: boolean;
}

/**
 * Whether a node can be on a network: an interface that is up has an address that others can reach. A rack may have no
 * default route, and a node in the field no controller, so neither is waited for. Pure.
 */
export function hasNetwork(addresses: readonly InterfaceAddress[]): boolean {
  return addresses.some(({ address, internal }) => !internal && !/^(fe80:|169\.254\.)/i.test(address));
}

/** How long a network may take to come up, in milliseconds; then the tasks are run without it. */
const patienceMs = 120_000;
const lookMs = 1_000;

/** Resolves once there is a network, or none came up within two minutes: whether there is one. False when the signal aborts. */
export async function waitForNetwork(clock: Clock, signal: AbortSignal): Promise<boolean> {
  const until = clock.now() + patienceMs;
  for (;;) {
    const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    if (hasNetwork(addresses)) return true;
    if (clock.now() >= until || signal.aborted) return false;
    await new Promise<void>((resolve) => {
      clock.setTimeout(resolve, lookMs, signal);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}
