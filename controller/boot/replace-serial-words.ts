import { type PiBoard, piBoardOf } from "../images/catalogue/pi-board.ts";

/** The kernel's names of a board's serial ports on the pins (serial0) and the other one (serial1). */
interface SerialPorts {
  readonly serial0: string;
  readonly serial1?: string;
}

/** Bluetooth has the PL011, so that the pins have the mini UART, which is the second port by upstream's aliases. */
const miniUart: SerialPorts = { serial0: "ttyS1", serial1: "ttyAMA0" };
/** Without Bluetooth the pins have the PL011. */
const pl011: SerialPorts = { serial0: "ttyAMA0", serial1: "ttyS1" };
/** The debug connector; the pins' ports hang on the RP1. */
const bcm2712: SerialPorts = { serial0: "ttyAMA10" };

/**
 * What the ports are called under the device trees that U-Boot hands on, which are upstream's (upstream_kernel=1 in
 * the boot tree's config.txt): their aliases are serial0 = uart0 (PL011) and serial1 = uart1 (mini UART) on all boards
 * to the Pi 4 (bcm283x.dtsi), and the kernel numbers the mini UART by its alias, so it is ttyS1 and not the ttyS0 of
 * Raspberry Pi's own trees. Which of them is on the pins says /chosen/stdout-path of each board's tree.
 */
const ports: Readonly<Record<PiBoard, SerialPorts>> = {
  pi2: pl011,
  pi3: miniUart,
  "pi3+": miniUart,
  cm3: pl011,
  "cm3+": pl011,
  pi02: miniUart,
  pi4: miniUart,
  pi400: miniUart,
  cm4: miniUart,
  cm4s: miniUart,
  pi5: bcm2712,
  pi500: bcm2712,
  cm5: bcm2712,
};

/** QEMU's "virt" machine has one PL011. */
const virtual: SerialPorts = { serial0: "ttyAMA0" };

/**
 * The words of a command line for a kernel that U-Boot starts. "serial0" and "serial1" in `console=` and `kgdboc=` are
 * words of the Pi's firmware, which puts the port's real name there; the kernel knows no such device, and would be left
 * without a console. Where the port is not known the word is left out, so that the kernel takes the console that the
 * device tree names (/chosen/stdout-path), unless another `console=` is there.
 */
export function replaceSerialWords(words: readonly string[], model: string | undefined): readonly string[] {
  const found = portsOf(model ?? "");
  return words.flatMap((word) => {
    const match = /^(console|kgdboc)=(serial[01])(,.*)?$/.exec(word);
    if (match === null) return [word];
    const [, key, port, rest = ""] = match;
    const name = found?.[port === "serial0" ? "serial0" : "serial1"];
    return name === undefined ? [] : [`${key}=${name}${rest}`];
  });
}

function portsOf(model: string): SerialPorts | undefined {
  const board = piBoardOf(model);
  if (board !== undefined) return ports[board];
  return model === "linux,dummy-virt" ? virtual : undefined;
}
