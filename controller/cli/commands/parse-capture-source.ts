import { Failure } from "../../../proto/failure.ts";

/**
 * "NODE" or "NODE:/dev/DISK". A MAC address has colons, too, so a disk begins with ":/". Throws a Failure "invalid" for
 * anything else; `disk` is empty where none is named.
 */
export function parseCaptureSource(text: string): { readonly node: string; readonly disk: string } {
  const at = text.indexOf(":/");
  const [node, disk] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  if (node !== "" && (disk === "" || disk.startsWith("/dev/"))) return { node, disk };
  throw new Failure(
    "invalid",
    `--from "${text.slice(0, 80)}" is not NODE or NODE:DISK, like pi-7 or pi-7:/dev/mmcblk0`,
  );
}
