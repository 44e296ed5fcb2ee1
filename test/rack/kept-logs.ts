import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import type { Board } from "./board.ts";
import type { ControllerProcess } from "./controller-process.ts";
import type { RackClient } from "./rack-client.ts";

/**
 * Writes what a rack has said so far into a new folder that stays: a file for the controller, for its events and for
 * its rollouts, and one for the serial console of every board, each line behind its time. The folder is in
 * $PALLET_TEST_LOGS if that is set (a rack's logs are then kept even when nothing fails), otherwise where temporary
 * files lie. Returns its path.
 */
export async function keepLogs(rack: {
  readonly controller: ControllerProcess;
  readonly client: RackClient;
  readonly boards: readonly Board[];
}): Promise<string> {
  const parent = process.env["PALLET_TEST_LOGS"] ?? os.tmpdir();
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(path.join(parent, "pallet-rack-logs-"));
  await writeFile(path.join(folder, "controller.log"), rack.controller.log.timed());
  for (const [index, { console }] of rack.boards.entries()) {
    await writeFile(path.join(folder, `board-${index + 1}.log`), console.timed());
  }
  const isUp = rack.controller.pid() !== undefined;
  const events = isUp ? await rack.client.events().catch(() => []) : [];
  const lines = events.map(({ time, type, message }) => `${time?.toISOString() ?? ""} ${type} ${message}\n`);
  await writeFile(path.join(folder, "events.log"), lines.join(""));
  const rollouts = isUp ? await rack.client.rollouts().catch(() => []) : [];
  await writeFile(path.join(folder, "rollouts.json"), JSON.stringify(rollouts, bigintAsText, 2));
  return folder;
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
