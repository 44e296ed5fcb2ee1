import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { withDescendants } from "../../proto/disk/device-tree.ts";
import { Failure } from "../../proto/failure.ts";

/** The steps that free a device. */
export type UnmountStep =
  | { readonly kind: "swapoff"; readonly path: string }
  | { readonly kind: "umount"; readonly mountpoint: string }
  /** `over` is what the loop device lies over. */
  | { readonly kind: "detach"; readonly path: string; readonly over: string };

/** Where the system itself runs from: unmounting these would stop the agent. */
const systemMountpoints = /^\/(proc|sys|dev|run|usr|etc|var|nix)?$/;

/**
 * Plans how to unmount a device and everything on it: swap first, then every mount, the deepest first, then loop
 * devices on top of it. Throws a Failure `holds-running-root` when the system itself runs from one of the mounts.
 */
export function planUnmount(device: BlockDevice): readonly UnmountStep[] {
  const stack = withDescendants(device);
  const mountpoints = [...new Set(stack.flatMap((part) => part.mountpoints))].filter((at) => at !== "[SWAP]");
  const system = mountpoints.find((at) => systemMountpoints.test(at));
  if (system !== undefined)
    throw new Failure(
      "holds-running-root",
      `cannot unmount ${device.path}: this node is running from it (${system}); boot it into the agent first`,
    );
  const paths = (parts: readonly BlockDevice[]) => [...new Set(parts.map((part) => part.path))];
  const swaps = paths(stack.filter((part) => part.mountpoints.includes("[SWAP]")));
  // One over a RAID array stands below each of its members.
  const loops = loopsOn(device).filter(({ path }, index, all) => all.findIndex((each) => each.path === path) === index);
  const depth = (path: string) => path.split("/").length;
  return [
    ...swaps.map((path) => ({ kind: "swapoff" as const, path })),
    ...mountpoints.sort((a, b) => depth(b) - depth(a)).map((mountpoint) => ({ kind: "umount" as const, mountpoint })),
    ...loops.reverse(),
  ];
}

/** Every loop device on a device, the lowest first. */
function loopsOn(device: BlockDevice): Extract<UnmountStep, { kind: "detach" }>[] {
  return device.children.flatMap((child) => [
    ...(child.type === "loop" ? [{ kind: "detach" as const, path: child.path, over: device.path }] : []),
    ...loopsOn(child),
  ]);
}
