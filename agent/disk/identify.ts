import { readdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../proto/failure.ts";
import { throwIfCancelled } from "./run-tool.ts";
import { knownLeds, selectedTrigger, selectLed } from "./select-led.ts";

/** How a person is to find the board. */
export interface Identify {
  readonly durationMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Folder of the kernel's LED class. */
  readonly ledsFolder?: string;
  /** Half a period of the blinking. */
  readonly halfPeriodMs?: number;
}

/**
 * Blinks the board's LED for so long, and leaves it as it was, also when it was cancelled. The kernel's "timer" trigger
 * blinks by itself; without it the brightness is switched from here.
 *
 * Throws a Failure: `unsupported` when there is no such LED, `device-error`, `cancelled`.
 */
export async function identify(request: Identify): Promise<void> {
  const { durationMs, signal, ledsFolder = "/sys/class/leds", halfPeriodMs = 150 } = request;
  const led = await findLed(ledsFolder);
  const attribute = (name: string) => `${ledsFolder}/${led}/${name}`;
  const write = (name: string, value: string) => writeFile(attribute(name), value);
  const triggers = await readFile(attribute("trigger"), "utf8").catch(() => "");
  const brightness = (await readFile(attribute("brightness"), "utf8")).trim();
  const trigger = selectedTrigger(triggers);
  try {
    if (/\btimer\b/.test(triggers)) {
      await write("trigger", "timer");
      await pause(durationMs, signal);
    } else {
      await blink(write, { durationMs, halfPeriodMs, signal });
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("device-error", `cannot blink the LED ${led}`, { cause: error });
  } finally {
    if (trigger !== undefined) await write("trigger", trigger);
    if (trigger === undefined || trigger === "none") await write("brightness", brightness);
  }
}

async function findLed(folder: string): Promise<string> {
  const present: string[] = await readdir(folder).catch(() => []);
  const led = selectLed(present);
  if (led !== undefined) return led;
  const others = present.length === 0 ? "it has no LED at all" : `its LEDs are ${present.join(", ")}`;
  throw new Failure("unsupported", `this node has none of the LEDs ${knownLeds.join(", ")} to blink; ${others}`);
}

async function blink(
  write: (name: string, value: string) => Promise<void>,
  timing: { durationMs: number; halfPeriodMs: number; signal: AbortSignal | undefined },
): Promise<void> {
  const { durationMs, halfPeriodMs, signal } = timing;
  for (let elapsedMs = 0, on = true; elapsedMs < durationMs; elapsedMs += halfPeriodMs, on = !on) {
    await write("brightness", on ? "1" : "0");
    await pause(Math.min(halfPeriodMs, durationMs - elapsedMs), signal);
  }
}

async function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(durationMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  throwIfCancelled(signal, "blink the LED");
}
