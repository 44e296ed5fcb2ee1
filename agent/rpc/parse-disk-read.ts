import type { MeantDisk } from "../../proto/disk/meant-disk.ts";
import { Failure } from "../../proto/failure.ts";
import type * as wire from "../../proto/gen/pallet/v1/agent.ts";
import { limits } from "../../proto/limits.ts";
import { sectorBytes } from "../../proto/pack/image-bounds.ts";
import type { DiskPart } from "../read/plan-spans.ts";

const longest = 256;

/** The disk of a ReadDisk. Throws a Failure "invalid" that names the field. */
export function parseDiskToRead({ device, sizeBytes, serial, cid }: wire.DiskToRead): MeantDisk {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  const isPath = device !== "" && device.length <= longest && !/[\x00-\x1f\x7f]/.test(device);
  ensure(isPath, "disk.device is not a device path");
  const size = Number(sizeBytes);
  ensure(size > 0 && Number.isSafeInteger(size), `disk.size_bytes ${sizeBytes} is not a size`);
  for (const [name, text] of Object.entries({ serial, cid }))
    ensure(text.length <= longest, `disk.${name} has more than ${longest} characters`);
  return { device, sizeBytes: size, serial, cid };
}

/** The parts of a ReadDisk. Throws a Failure "invalid" that names what is wrong with them. */
export function parseDiskParts({ parts }: wire.DiskParts): readonly DiskPart[] {
  const most = limits.captures.parts.most;
  ensure(parts.length > 0 && parts.length <= most, `read.parts: ${parts.length} given, not 1 to ${most}`);
  let end = 0;
  return parts.map((part) => {
    const [offsetBytes, lengthBytes] = [Number(part.offsetBytes), Number(part.lengthBytes)];
    const what = `read.parts: ${part.lengthBytes} bytes at byte ${part.offsetBytes}`;
    const isWhole = (bytes: number): boolean => Number.isSafeInteger(bytes) && bytes % sectorBytes === 0;
    ensure(
      isWhole(offsetBytes) && isWhole(lengthBytes) && lengthBytes > 0 && isWhole(offsetBytes + lengthBytes),
      `${what} are not whole sectors of ${sectorBytes} bytes`,
    );
    ensure(offsetBytes >= end, `${what} begin before the end of the part before them`);
    end = offsetBytes + lengthBytes;
    return { offsetBytes, lengthBytes };
  });
}

function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Failure("invalid", message);
}
