import type { BootSpec, FirmwareFiles } from "./boot-spec.ts";
import { renderFirmwareSection } from "./render-firmware-config.ts";

/**
 * Settings of an image's config.txt that would compete with ours, by what they do. Of two equal settings the last one
 * holds, but not everywhere: an `include` is read by the firmware and not by the bootloader, several `initramfs` may
 * add up, and a model's filter may stand behind ours in a file that is included. So none is left.
 */
const ours: ReadonlySet<string> = new Set([
  ...["kernel", "initramfs", "ramfsfile", "ramfsaddr", "auto_initramfs", "cmdline", "os_prefix", "os_check"],
  // A RAM disk (boot.img) in place of the files; deprecated names of arm_64bit and its like.
  ...["boot_ramdisk", "arm_control", "kernel_old"],
]);

/** Left to the image where nobody knows what kind of kernel it is. */
const bitsSettings: ReadonlySet<string> = new Set(["arm_64bit"]);

/**
 * The image's config.txt with our section behind it: the image's device trees, overlays and settings hold, and kernel,
 * initrd and command line are ours.
 */
export function renderImageConfig(imageConfig: string, spec: BootSpec, firmware: FirmwareFiles): string {
  return renderFirmwareSection(withoutOurSettings(imageConfig, firmware), spec, "all", {
    ...(firmware.bits !== undefined && { bits: firmware.bits }),
    initrds: initrdAliases(spec, firmware).map(({ alias }) => alias),
  });
}

/** What an image's config.txt includes: the same without the settings that are ours. */
export function withoutOurSettings(text: string, { bits }: Pick<FirmwareFiles, "bits">): string {
  return text
    .split(/\r?\n/)
    .map((line) => {
      const key = /^\s*(\w+)\s*(=|\s)/.exec(line)?.[1]?.toLowerCase() ?? "";
      return ours.has(key) || (bits !== undefined && bitsSettings.has(key)) ? `#${line}` : line;
    })
    .join("\n");
}

/** The initrds under the names that config.txt gives them; the firmware loads them one behind the other. */
export function initrdAliases(
  { initrd }: Pick<BootSpec, "initrd">,
  { moreInitrds }: Pick<FirmwareFiles, "moreInitrds">,
): readonly { readonly alias: string; readonly path: string }[] {
  if (initrd === undefined) return [];
  return [initrd, ...moreInitrds].map((path, index) => ({ alias: index === 0 ? "initrd" : `initrd${index}`, path }));
}

/**
 * The image's file that stands for one under the os_prefix of its boot, as a path in the boot tree; a text where there
 * is none but the firmware must find it. The image's own os_prefix comes first, as on the card, and overlays are those
 * that it has there.
 *
 * Overlays are looked for under an os_prefix only if a README lies beside them (config_txt: "os_prefix"); systems that
 * never had an os_prefix of their own need none, so one is made up.
 */
export function imageFileFor(
  file: string,
  firmware: ImagePlaces,
): { readonly path: string } | { readonly text: string } | undefined {
  const { folder, files } = firmware;
  for (const path of placesOf(file, firmware)) {
    const found = files.find((each) => each.toLowerCase() === path);
    if (found !== undefined) return { path: `${folder}/${found}` };
  }
  const beside = placesOf(file, firmware).flatMap((path) => /^(.*\/)readme$/.exec(path)?.[1] ?? []);
  const hasOverlays = files.some((each) =>
    beside.some((at) => each.toLowerCase().startsWith(at) && /\.dtbo$/i.test(each)),
  );
  return hasOverlays ? { text: "" } : undefined;
}

type ImagePlaces = Pick<FirmwareFiles, "folder" | "files" | "osPrefix" | "overlayPrefix">;

/** Where the image may have a file, in lower case. */
function placesOf(file: string, { osPrefix, overlayPrefix }: ImagePlaces): readonly string[] {
  // What config.txt has as overlay_prefix: the firmware asks for overlays by it.
  const asked = overlayPrefix.startsWith(osPrefix) ? overlayPrefix.slice(osPrefix.length) : overlayPrefix;
  const isOverlay = asked !== "" && file.toLowerCase().startsWith(asked.toLowerCase());
  const places = isOverlay ? [`${overlayPrefix}${file.slice(asked.length)}`] : [`${osPrefix}${file}`, file];
  return places.map((path) => path.toLowerCase());
}

/**
 * The image's file that stands for one at the top of the boot tree, where the tree has none: firmware that the image's
 * config.txt chooses (start_x=1), an ARM stub, overlays, a file that config.txt includes. None of what would
 * make the board boot something else: no other config, kernel or device tree, no update of its bootloader.
 */
export function sharedFileFor(
  file: string,
  { folder, files }: Pick<FirmwareFiles, "folder" | "files">,
): string | undefined {
  if (neverShared.test(file)) return undefined;
  const found = files.find((each) => each.toLowerCase() === file.toLowerCase());
  return found && `${folder}/${found}`;
}

const neverShared =
  /^((config|cmdline|autoboot|tryboot|bootcfg)\.txt|boot(code|sig)\.bin|boot\.(img|sig)|recover[^/]*|(pieeprom|vl805)\.[^/]*|[^/]*\.(dtb|img)|u-boot[^/]*)$/i;
