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
  /** What `controller disks` says; an agent that has no time to answer, while a driver is loaded, is asked again. */
  let said = "";
  const disksOnce = async (holds: (disks: string) => boolean): Promise<boolean> => {
    const { exitCode, stdout, stderr } = await rack.pallet("disks", board.mac);
    said = `${stdout}\n${stderr}`;
    return exitCode === 0 && holds(stdout);
  };
  assert.doesNotMatch(await rack.palletOk("disks", board.mac), /\/dev\/sda/);
  const monitor = monitorPath(rack.folder, board.mac);
  await orderMachine(monitor, [
    {
      execute: "blockdev-add",
      arguments: { driver: "raw", "node-name": "stick", file: { driver: "file", filename: stick } },
    },
    { execute: "device_add", arguments: { driver: "usb-storage", drive: "stick", id: "stick" } },
  ]);
  const once = { withinMs: patience.timeoutMs, everyMs: 1000 };
  const isThere = () => disksOnce((disks) => /\/dev\/sda/.test(disks));
  await until(isThere, () => `the stick is not reported:\n${said}`, once);
  await orderMachine(monitor, [{ execute: "device_del", arguments: { id: "stick" } }]);
  const hasGone = () => disksOnce((disks) => !/\/dev\/sda/.test(disks));
  await until(hasGone, () => `the stick is reported still:\n${said}`, once);
  await orderMachine(monitor, [{ execute: "blockdev-del", arguments: { "node-name": "stick" } }]);
}
