import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import type { BootMoment } from "../time/boot-moment.ts";

let bootId: string | undefined;

/** This moment by the clock of this machine's boot, to some 10 ms. */
export function bootMomentNow(): BootMoment {
  bootId ??= readBootId();
  return { bootId, ms: Math.round(uptime() * 1000) };
}

/** Where it cannot be read, moments of this process compare with each other only. */
function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return randomUUID();
  }
}
