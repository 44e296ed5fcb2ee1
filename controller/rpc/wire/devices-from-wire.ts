import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import { blockDeviceFromWire } from "../../../proto/disk/block-device-codec.ts";
import type * as wire from "../../../proto/gen/pallet/v1/disk.ts";
import { limits } from "../../../proto/limits.ts";
import { invalid } from "../../refusal/refusal.ts";
import { plainText } from "./text-from-wire.ts";

/**
 * The block devices of a node as its agent reports them. Throws a Failure when they are more, or larger, than any node
 * has: what is erased is decided by this list, so nothing of it is left out.
 */
export function devicesFromWire(devices: readonly wire.BlockDevice[]): readonly BlockDevice[] {
  let count = 0;
  const check = (device: wire.BlockDevice, depth: number): void => {
    count += 1;
    if (count > limits.agents.devices.most) {
      throw tooMuch(`more than ${limits.agents.devices.most} block devices`);
    }
    if (depth > limits.agents.devicesDepth.most) {
      throw tooMuch(`block devices on top of each other ${depth} times`);
    }
    const name = plainText(device.name, 80);
    const { mountpoints, children, ...values } = device;
    if (mountpoints.length > limits.agents.mountpoints.most) {
      throw tooMuch(`${mountpoints.length} mount points of ${name}`);
    }
    for (const text of [...mountpoints, ...Object.values(values)]) {
      if (typeof text === "string" && text.length > limits.agents.pathCharacters.most) {
        throw tooMuch(`a text of ${text.length} characters about ${name}`);
      }
    }
    for (const bytes of [device.sizeBytes, device.startBytes]) {
      if (bytes > BigInt(limits.agents.diskBytes.most))
        throw tooMuch(`${name} as having, or beginning at, ${bytes} bytes`);
    }
    for (const child of children) check(child, depth + 1);
  };
  for (const device of devices) check(device, 1);
  return devices.map(blockDeviceFromWire);
}

function tooMuch(what: string): Error {
  return invalid(`the agent reports ${what}: no node has that, so nothing of its list is believed`);
}
