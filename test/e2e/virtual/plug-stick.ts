import assert from "node:assert/strict";
import { truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { monitorPath, orderMachine } from "../../rack/virtual/order-machine.ts";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import type { VirtualRack } from "../../rack/virtual/virtual-rack.ts";
import { until } from "../../until.ts";
import { patience } from "./rack-of-two.ts";

/**
 * Plugs a USB stick into a running board whose kernel has loaded no driver for it yet, and holds the agent to reporting
 * it; then takes it out again.
 */
export async function assertFindsStick(rack: VirtualRack, board: VirtualBoard): Promise<void> {
  const stick = path.join(rack.folder, `stick-of-${board.mac.replaceAll(":", "")}.img`);
  await writeFile(stick, "");
  await truncate(stick, 8 * 1024 * 1024);
  const disks = () => rack.palletOk("disks", board.mac);
  assert.doesNotMatch(await disks(), /\/dev\/sda/);
  const monitor = monitorPath(rack.folder, board.mac);
  await orderMachine(monitor, [
    {
      execute: "blockdev-add",
      arguments: { driver: "raw", "node-name": "stick", file: { driver: "file", filename: stick } },
    },
    { execute: "device_add", arguments: { driver: "usb-storage", drive: "stick", id: "stick" } },
  ]);
  const once = { withinMs: patience.timeoutMs, everyMs: 1000 };
  await until(async () => /\/dev\/sda/.test(await disks()), "the stick is not reported", once);
  await orderMachine(monitor, [{ execute: "device_del", arguments: { id: "stick" } }]);
  await until(async () => !/\/dev\/sda/.test(await disks()), "the stick is reported still", once);
  await orderMachine(monitor, [{ execute: "blockdev-del", arguments: { "node-name": "stick" } }]);
}
