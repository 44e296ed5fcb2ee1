/**
 * The variable of U-Boot's environment that names its TFTP server, in place of what DHCP says: behind a proxy DHCP the
 * answer is that of a router, which names itself or nobody. Its value in a built U-Boot means that none is known. The
 * controller puts its own address there while it serves the file, so the address is always that of the controller
 * that the firmware has reached.
 */
export const serverVariable = "pallet_server";
export const noServer = "000.000.000.000";

/** The environment is compiled in as texts that end in a zero byte. */
const slot = Buffer.from(`\0${serverVariable}=${noServer}\0`, "latin1");

/** Where the address goes in a U-Boot; undefined where the file has no such place, or more than one. */
export function findServerSlot(uBoot: Buffer): number | undefined {
  const at = uBoot.indexOf(slot);
  if (at === -1 || uBoot.indexOf(slot, at + 1) !== -1) return undefined;
  return at + slot.length - noServer.length - 1;
}

/**
 * An IPv4 address in as many characters as its place has: U-Boot reads "010.000.000.001" in decimal (net/net_utils.c,
 * string_to_ip). Undefined for what is no IPv4 address, a host name for example.
 */
export function renderServerAddress(address: string): string | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1);
  if (parts === undefined || parts.some((part) => Number(part) > 255)) return undefined;
  return parts.map((part) => String(Number(part)).padStart(3, "0")).join(".");
}
