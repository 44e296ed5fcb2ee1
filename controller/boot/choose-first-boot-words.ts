import type { Image } from "../images/catalogue/image.ts";
import { isFirstBootDue } from "../nodes/judge-local-boots.ts";
import type { Node } from "../nodes/node.ts";

/**
 * The words by which an image's own first boot runs, in the first boot from the card after a write and never again: the
 * program that each starts takes its own word out of cmdline.txt on the card, but ours come from here.
 *
 * They are given only where the root is named by its filesystem's UUID. All of these programs give the disk another id
 * and reboot, after which a PARTUUID that we know would find nothing.
 */
export function chooseFirstBootWords(
  node: Pick<Node, "bootTarget" | "installation">,
  image: Pick<Image, "boot">,
  rootWord: string,
): readonly string[] {
  if (!isFirstBootDue(node) || !rootWord.startsWith("root=UUID=")) return [];
  return image.boot.firstBootWords ?? [];
}
