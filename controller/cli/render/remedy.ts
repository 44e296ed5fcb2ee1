import type { FailureReason } from "../../../proto/failure.ts";
import { shellWord } from "./shell-word.ts";

/**
 * What an operator can do about a failed reimage or operation, as a sentence; undefined if there is nothing to add to
 * the failure's message.
 *
 * @param name name of the node, for copy-and-paste commands
 * @param device the disk concerned, if known
 */
export function remedyFor(reason: FailureReason, name: string, device: string | null): string | undefined {
  const node = shellWord(name);
  const path = device === null ? "DEVICE" : shellWord(device);
  switch (reason) {
    case "mounted":
      return `Unmount it: controller unmount ${node} ${path}`;
    case "in-use":
      return `See what uses it: controller disks ${node}; unmount it and disable its swap: controller unmount ${node} ${path}`;
    case "holds-running-root":
      return `Boot the node into the agent first: controller boot ${node} agent && controller reboot ${node}`;
    case "not-a-disk":
    case "no-disk-chosen":
      return `List its disks (controller disks ${node}) and choose one with --disk DEVICE`;
    case "read-only":
      return "Slide the lock switch on the card or its adapter; if the card stays read-only, it is worn out: replace it.";
    case "too-small":
      return "Use a larger card or a smaller image.";
    case "device-busy":
      return "Wait until that operation has ended, then try again.";
    case "fetch-failed":
      return "Make sure that the node can reach the controller's HTTP port (see controller status), then try again.";
    case "image-damaged":
      return "Try again; if it happens on several nodes, remove the image and add it again.";
    case "device-error":
    case "verify-mismatch":
      return "Try once more; if the card fails again, it is worn out: replace it.";
    case "node-silent":
      return `Check its power, cable and screen; see what it fetched: controller events --node ${node} --limit 20`;
    case "wrong-system":
      return `See what it booted: controller node show ${node}; if its firmware prefers another disk, change its boot order.`;
    case "hook-failed":
      return `Mend the hook on the management machine, then try again: controller reimage ${node}`;
    case "protected":
    case "not-permitted":
    case "token-refused":
    case "other-agent":
    case "unsupported":
    case "tool-failed":
    case "internal":
    case "cancelled":
    case "invalid":
      return undefined;
  }
}
