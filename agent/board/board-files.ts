/** Where the kernel shows the device tree that it was started with. */
const tree = "/proc/device-tree";

/**
 * What of /proc and /sys describes a board, "*" being any name: which device tree and overlays its firmware loaded, which
 * drivers took what, and what the board says of itself. Of a link, its target is what counts. The documents:
 * Documentation/ABI/testing/sysfs-class-{net,watchdog,thermal}, sysfs-kernel-reboot, sysfs-bus-mmc of Linux;
 * "bootloader properties" of Raspberry Pi's config.txt documentation.
 */
export const boardFiles: readonly string[] = [
  `${tree}/{model,compatible,serial-number}`,
  `${tree}/system/*`,
  `${tree}/chosen/*`,
  `${tree}/chosen/{bootloader,power}/*`,
  `${tree}/aliases/*`,
  `${tree}/{__overlays__,__local_fixups__}/*`,
  "/sys/kernel/config/device-tree/overlays/*/{path,status}",
  "/proc/{version,cmdline,modules,meminfo,cpuinfo}",
  "/sys/kernel/reboot/*",
  "/sys/module/kernel/parameters/panic",
  "/sys/class/net/*/{address,addr_assign_type,operstate,carrier,speed,duplex,type}",
  "/sys/class/net/*/device/{driver,of_node,modalias}",
  "/sys/class/watchdog/*/{identity,state,status,bootstatus,timeout,min_timeout,max_timeout,nowayout,timeleft}",
  "/sys/class/watchdog/*/device/driver",
  "/sys/class/leds/*/{trigger,brightness,max_brightness}",
  "/sys/class/leds/*/device/driver",
  "/sys/class/thermal/thermal_zone*/{type,temp}",
  "/sys/class/hwmon/*/{name,temp1_input,in0_lcrit_alarm}",
  "/sys/devices/platform/soc/soc:firmware/get_throttled",
  "/sys/class/mmc_host/*/device/driver",
  "/sys/class/mmc_host/*/*/{cid,csd,scr,ssr,name,type,manfid,oemid,date,serial,fwrev,hwrev,rev}",
  "/sys/class/mmc_host/*/*/{preferred_erase_size,erase_size,life_time,pre_eol_info,ocr,rca}",
  "/sys/kernel/debug/mmc*/ios",
  "/sys/block/*/{size,ro,removable}",
  "/sys/block/*/device/{driver,model,vendor}",
  "/sys/block/*/queue/{logical_block_size,physical_block_size,discard_max_bytes,discard_granularity,rotational}",
];

/**
 * Names of properties that nobody has any business with: a kernel's random seeds ("rng-seed", "kaslr-seed"), and
 * whatever an operator calls a key or a secret.
 */
export function isSecret(name: string): boolean {
  return /seed|secret|password|passwd|private|\bkeys?\b/i.test(name.slice(name.lastIndexOf("/") + 1));
}

/**
 * The text without the values of words that are secrets, as a kernel command line has them ("pallet.token=…"): a report is
 * sent to people.
 */
export function hideSecretWords(text: string): string {
  return text.replace(/\b([\w.-]*(?:token|secret|passw|psk)[\w.-]*=)(?:"[^"]*"|[^\s,]+)/gi, "$1(hidden)");
}

/** Bytes of a property or a file as a person reads them; see pallet.v1.BoardItem. */
export function renderBoardValue(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  const strings = text.replace(/\0+$/, "");
  if (/^[\t\n\x20-\x7e\0]*$/.test(strings) && (strings !== "" || bytes.length === 0) && !strings.includes("\0\0"))
    return strings.trimEnd().replaceAll("\0", ", ");
  return `0x${bytes.toString("hex")}`;
}

const telling =
  /Linux version|Machine model|Command line|mmc|sdhci|sdhost|bcm2|bcmgenet|genet|macb|smsc|lan78|rp1|wdt|watchdog|raspberrypi|firmware|thermal|voltage|reboot|restart|eth0|overlay|dwc|pcie/i;

/** The lines of the kernel's log that are about a board's drivers, at most so many characters of the first ones. */
export function selectKernelLog(log: string, maxCharacters: number): string {
  const lines = log.split("\n").filter((line) => telling.test(line));
  return lines
    .map((line) => line.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 300))
    .join("\n")
    .slice(0, maxCharacters);
}
