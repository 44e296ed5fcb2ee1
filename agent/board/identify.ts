import { readdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../proto/failure.ts";
import { throwIfCancelled } from "../linux/run-tool.ts";
import { knownLeds, selectedTrigger, selectLed } from "./select-led.ts";

/** How to make the board findable. */
export interface Identify {
  readonly durationMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Folder of the kernel's LED class. */
  readonly ledsFolder?: string;
  /** Half a period of the blinking. */
  readonly halfPeriodMs?: number;
}

/**
 * Blinks the board's LED for the given time, and restores it afterwards, even if cancelled. The kernel's "timer"
 * trigger blinks by itself; without it the brightness is switched from here.
 *
 * Throws a Failure: `unsupported` when there is no such LED, `device-error`, `cancelled`.
 */
export async function identify(request: Identify): Promise<void> {
  const { durationMs, signal, ledsFolder = "/sys/class/leds", halfPeriodMs = 150 } = request;
  const led = await findLed(ledsFolder);
  const attribute = (name: string) => `${ledsFolder}/${led}/${name}`;
  const write: WriteAttribute = (name, value) => writeFile(attribute(name), value);
  try {
    const triggers = await readFile(attribute("trigger"), "utf8").catch(() => "");
    const brightness = (await readFile(attribute("brightness"), "utf8")).trim();
    try {
      await (/\btimer\b/.test(triggers)
        ? blinkByKernel(write, durationMs, signal)
        : blinkByHand(write, { durationMs, halfPeriodMs, signal }));
    } finally {
      const trigger = selectedTrigger(triggers) ?? "none";
      if (triggers !== "") await write("trigger", trigger);
      if (trigger === "none") await write("brightness", brightness);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("device-error", `cannot blink the LED ${led}`, { cause: error });
  }
}

/** Writes an attribute of the LED. */
type WriteAttribute = (name: string, value: string) => Promise<void>;

async function findLed(folder: string): Promise<string> {
  const present: string[] = await readdir(folder).catch(() => []);
  const led = selectLed(present);
  if (led !== undefined) return led;
  const others = present.length === 0 ? "it has no LEDs" : `its LEDs are ${present.join(", ")}`;
  throw new Failure("unsupported", `this node has none of the LEDs ${knownLeds.join(", ")}; ${others}`);
}

async function blinkByKernel(write: WriteAttribute, durationMs: number, signal?: AbortSignal): Promise<void> {
  await write("trigger", "timer");
  await pause(durationMs, signal);
}

async function blinkByHand(
  write: WriteAttribute,
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
