/** The board that this program runs on. */
export interface Board {
  /** For example "Raspberry Pi 4 Model B Rev 1.4"; empty when the machine names none. */
  readonly model: string;
  /** Lower-case hexadecimal; empty when there is none. */
  readonly serial: string;
}

/** A string property of a device tree as /sys/firmware/devicetree holds it: it ends with a NUL. */
export function parseDeviceTreeString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end))
    .toString("utf8")
    .trim();
}

/** The lines "Model" and "Serial" that a Pi's kernel adds to the end of /proc/cpuinfo. */
export function parseCpuinfo(text: string): Board {
  const value = (key: string) => new RegExp(`^${key}[ \\t]*:[ \\t]*(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  return { model: value("Model"), serial: value("Serial") };
}

/**
 * The device tree's word before cpuinfo's. The serial number of a Pi has 16 digits, of which firmware uses the last 8
 * for its TFTP folder on boards before the Pi 4's network boot; it is passed on as the kernel has it.
 */
export function selectBoard(deviceTree: Board, cpuinfo: Board): Board {
  const serial = (deviceTree.serial || cpuinfo.serial).toLowerCase();
  return {
    model: deviceTree.model || cpuinfo.model,
    serial: /^0*$/.test(serial) ? "" : serial,
  };
}
