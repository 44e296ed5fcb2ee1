import type { FailureReason } from "../../../proto/failure.ts";

/**
 * What an operator can do about a failure of a node's reimage or operation, as a sentence, where more can be said than
 * the failure's message does; undefined where there is nothing general to say.
 *
 * @param node name of the node, for commands to copy
 * @param device the disk that it is about, where one is known
 */
export function remedyFor(reason: FailureReason, node: string, device: string | null): string | undefined {
  const path = device ?? "DEVICE";
  switch (reason) {
    case "mounted":
      return `Unmount it: controller unmount ${node} ${path}`;
    case "in-use":
      return `See what uses it: controller disks ${node}; swap is switched off by: controller unmount ${node} ${path}`;
    case "holds-running-root":
      return `Boot the node into the agent first: controller boot ${node} agent && controller reboot ${node}`;
    case "not-a-disk":
    case "no-disk-chosen":
      return `See its disks (controller disks ${node}) and name one: --disk DEVICE`;
    case "read-only":
      return "Move the lock switch of the card or its adapter; a card that stays read-only is worn out: replace it.";
    case "too-small":
      return "Use a larger card or a smaller image.";
    case "device-busy":
      return "Wait until that operation has ended, then repeat.";
    case "fetch-failed":
      return "Make sure that the node reaches the controller's HTTP port (controller status), then repeat.";
    case "image-damaged":
      return "Repeat; if it happens on several nodes, remove the image and add it again.";
    case "device-error":
    case "verify-mismatch":
      return "Repeat once; a card that fails again is worn out: replace it.";
    case "node-silent":
      return `Look at its power, cable and screen; what it fetched: controller events --node ${node} --limit 20`;
    case "wrong-system":
      return `See what it booted: controller node show ${node}; firmware that prefers another disk must be told so.`;
    case "unsupported":
    case "tool-failed":
    case "internal":
    case "cancelled":
    case "invalid":
      return undefined;
  }
}
