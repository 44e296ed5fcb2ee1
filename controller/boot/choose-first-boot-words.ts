import { planFirstBoots } from "../images/boot/plan-first-boots.ts";
import type { Image } from "../images/catalogue/image.ts";
import { firstBootsDone } from "../nodes/judge-local-boots.ts";
import type { FirstBoot, Node } from "../nodes/node.ts";

/** Words for an image's own first boot. */
export interface FirstBootWords {
  readonly words: readonly string[];
  /** Where the first boot stands once the node has loaded a boot with these words. */
  readonly afterwards: FirstBoot;
}

/**
 * The words by which an image's own first boot runs, in the first boot from the card after a write (in the first two
 * where it takes two) and never again: the program that each starts takes its own word out of cmdline.txt on the card,
 * but ours come from here. Undefined when none are due.
 *
 * They are given only where the root is named by its filesystem's UUID. All of these programs give the disk another id
 * and reboot, after which a PARTUUID that we know would find nothing.
 */
export function chooseFirstBootWords(
  node: Pick<Node, "bootTarget" | "installation">,
  image: Pick<Image, "boot">,
  rootWord: string,
): FirstBootWords | undefined {
  const done = firstBootsDone(node);
  if (done === undefined || !rootWord.startsWith("root=UUID=")) return undefined;
  const boots = planFirstBoots(image.boot.firstBootWords ?? []);
  const words = boots[done];
  return words && { words, afterwards: done + 1 < boots.length ? "half-done" : "done" };
}
