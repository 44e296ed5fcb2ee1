import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import type { Rack } from "./rack.ts";

/**
 * Writes what a rack has said so far into a new folder that stays: a file for the controller, one for its events, one
 * for the serial console of every board, each line behind its time. The folder lies in $PALLET_TEST_LOGS if that is
 * set (a rack's logs are then kept also when nothing fails), otherwise where temporary files lie. Returns its path.
 */
export async function keepLogs(rack: Pick<Rack, "controller" | "client" | "boards">): Promise<string> {
  const parent = process.env["PALLET_TEST_LOGS"] ?? os.tmpdir();
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(path.join(parent, "pallet-rack-logs-"));
  await writeFile(path.join(folder, "controller.log"), rack.controller.log.timed());
  for (const [index, { console }] of rack.boards.entries()) {
    await writeFile(path.join(folder, `board-${index + 1}.log`), console.timed());
  }
  const events = rack.controller.pid() === undefined ? [] : await rack.client.events().catch(() => []);
  const lines = events.map(({ time, type, message }) => `${time?.toISOString() ?? ""} ${type} ${message}\n`);
  await writeFile(path.join(folder, "events.log"), lines.join(""));
  return folder;
}
