import { type FirmwareFetch, MissingFile, need } from "./firmware-fetch.ts";
import { isKernel, isZImage } from "./is-kernel.ts";
import type { ConfigTxt } from "./parse-config-txt.ts";
import type { PiModel } from "./pi-model.ts";
import { print } from "./serial-console.ts";
import type { LoadedKernel } from "./u-boot.ts";

/** What the firmware starts: U-Boot, with a device tree for it, or a kernel. */
export type Started =
  | { readonly kind: "u-boot"; readonly deviceTree: Buffer }
  | ({ readonly kind: "kernel"; readonly deviceTree: Buffer } & LoadedKernel);

/** One boot, and where its files are. */
export interface FirmwareStage {
  readonly fetch: FirmwareFetch;
  /** The folder of the board's own, or "". */
  readonly at: string;
  readonly model: PiModel;
  /** Reads config.txt, which happens again and again. */
  read(): Promise<ConfigTxt>;
}

/**
 * What the firmware does once it runs: kernel, device tree, initrd, overlays and command line, by config.txt. Under
 * `os_prefix` it looks for them only if kernel and device tree are there, and for overlays only if their README is.
 *
 * Throws MissingFile where a board stops.
 */
export async function loadByFirmware(stage: FirmwareStage): Promise<Started> {
  const { fetch, at, model, read } = stage;
  const { settings, initrds } = await read();
  const is64Bit = runs64Bit(settings, model);
  const kernelName = settings.get("kernel") ?? (is64Bit ? "kernel8.img" : "kernel7.img");
  const upstream = settings.get("upstream_kernel") === "1";
  const { downstream, upstream: mainline } = model.deviceTree;
  const named = settings.get("device_tree");
  const treeNames = named !== undefined ? [named] : upstream ? [mainline, downstream] : [downstream];
  const wanted = settings.get("os_prefix") ?? (upstream ? "upstream/" : "");

  const found =
    (await findOs(fetch, at + wanted, kernelName, treeNames)) ?? (await findOs(fetch, at, kernelName, treeNames));
  if (found === undefined) throw new MissingFile(`there is no kernel ${kernelName} with a device tree`);
  const { kernel, deviceTree, prefix } = found;
  if (kernelName === "u-boot.bin") {
    print("firmware: starting u-boot.bin");
    return { kind: "u-boot", deviceTree: deviceTree.bytes };
  }

  const parts: Buffer[] = [];
  for (const name of initrds) parts.push(await need(fetch, prefix + name));
  const overlays = await loadOverlays(stage, prefix, await read());
  const text = (await fetch.get(prefix + (settings.get("cmdline") ?? "cmdline.txt")))?.toString("utf8") ?? "";
  const mode = is64Bit ? "64-bit" : "32-bit";
  if (is64Bit ? !isKernel(kernel) : !isZImage(kernel)) throw new MissingFile(`${kernelName} is no ${mode} kernel`);
  const names = (list: readonly string[]): string => list.join(" ") || "none";
  print(
    `firmware: starting ${mode} kernel ${prefix}${kernelName}, device tree ${deviceTree.name}, ` +
      `overlays: ${names(overlays.loaded)}, parameters: ${names(overlays.parameters)}, initrds: ${initrds.length}`,
  );
  return {
    kind: "kernel",
    kernel,
    ...(parts.length > 0 && { initrd: Buffer.concat(parts) }),
    deviceTree: deviceTree.bytes,
    commandLine: `8250.nr_uarts=1 ${replaceSerial(text.split("\n")[0] ?? "", model, overlays.loaded)}`,
  };
}

function runs64Bit(settings: ReadonlyMap<string, string>, { is64Bit }: PiModel): boolean {
  if (is64Bit === "only") return true;
  const asked = settings.get("arm_64bit");
  if (asked !== undefined) return asked !== "0";
  const kernel = settings.get("kernel");
  return kernel === "kernel8.img" || (is64Bit && !/^kernel(7l?)?\.img$/.test(kernel ?? ""));
}

async function findOs(fetch: FirmwareFetch, prefix: string, kernelName: string, treeNames: readonly string[]) {
  const kernel = await fetch.get(prefix + kernelName);
  if (kernel === undefined) return undefined;
  for (const name of treeNames) {
    const bytes = await fetch.get(prefix + name);
    if (bytes !== undefined) return { kernel, deviceTree: { name, bytes }, prefix };
  }
  return undefined;
}

async function loadOverlays({ fetch, at }: FirmwareStage, prefix: string, config: ConfigTxt) {
  const folder = config.settings.get("overlay_prefix") ?? "overlays/";
  const hasReadme = (await fetch.get(`${prefix}${folder}README`)) !== undefined;
  const overlaysAt = (hasReadme ? prefix : at) + folder;
  await fetch.get(`${overlaysAt}overlay_map.dtb`);
  const loaded: string[] = [];
  for (const overlay of config.overlays) {
    const name = overlay.split(",")[0] ?? "";
    if (name === "") continue;
    if ((await fetch.get(`${overlaysAt}${name}.dtbo`)) === undefined)
      print(`firmware: Failed to load overlay '${name}'`);
    else loaded.push(overlay);
  }
  return { loaded, parameters: config.parameters };
}

/** "serial0" becomes the port on the pins, which overlays choose. */
function replaceSerial(line: string, { serial0 }: PiModel, overlays: readonly string[]): string {
  const without = overlays.some((overlay) => /^(disable-bt|miniuart-bt)\b/.test(overlay));
  return line.replaceAll("=serial0", `=${without ? serial0.without : serial0.withBluetooth}`);
}
