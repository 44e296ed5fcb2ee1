import type { NodeId } from "../../proto/names/node-id.ts";
import type { ImageDigest } from "../../proto/pack/digest.ts";
import type { BootSpec } from "../boot/boot-spec.ts";
import {
  type BootEndpoints,
  type BootingNode,
  type BootPlan,
  type BootProfile,
  forUBoot,
  planBoot,
  planOtherBoot,
} from "../boot/plan-boot.ts";
import type { NewEvent } from "../events/event.ts";
import type { Image } from "../images/catalogue/image.ts";
import type { Node } from "../nodes/node.ts";
import type { NodeRegistry } from "../nodes/node-registry.ts";
import type { RootId } from "../roots/root-id.ts";

/** Decides what a node's next boot loads, at the moment when the node asks. */
export interface BootPlanner {
  /** For U-Boot. A node that was never seen is discovered thereby, unless it asks by HTTP, which no board begins with. */
  bootSpecFor(mac: NodeId, address: string, protocol?: "http"): Promise<BootSpec>;
  /** For the node's firmware, without noting anything: what it would be if the node asked now. */
  specOf(mac: NodeId): Promise<BootSpec>;
  /** Notes that the node's firmware loads this. A node that was never seen is discovered thereby, but by HTTP. */
  noteBoot(mac: NodeId, address: string, spec: BootSpec, protocol?: "http"): Promise<void>;
  /** The menu's other entry; undefined if there is none. */
  otherSpecFor(mac: NodeId): Promise<BootSpec | undefined>;
}

/** Joins nodes, images and the operator's boot profile. */
export function createBootPlanner(options: {
  readonly nodes: Pick<NodeRegistry, "discover" | "get" | "bootPlanned">;
  readonly images: { getByDigest(digest: ImageDigest): Promise<Image | undefined> };
  readonly events: { append(event: NewEvent): unknown };
  /**
   * Called with the version of the root filesystem that a boot config names, before the node gets it; without an id where
   * the node is not recorded.
   */
  readonly rootTold?: (id: NodeId | undefined, root: RootId) => void;
  /** Asked for each boot: what the boot tree holds may have changed since the last one. */
  readonly profile: () => Promise<BootProfile>;
  /** Resolves once every server listens: before that it is not known what a config should say. */
  readonly endpoints: Promise<BootEndpoints>;
}): BootPlanner {
  const { nodes, images, events, endpoints } = options;

  function find(mac: NodeId, address: string, protocol: "http" | undefined): Node | undefined {
    return protocol === "http" ? nodes.get(mac) : nodes.discover(mac, address);
  }

  function tellRoot(id: NodeId | undefined, spec: BootSpec | undefined): void {
    if (spec?.root !== undefined) options.rootTold?.(id, spec.root);
  }

  /** U-Boot that asks gets what U-Boot can start, whatever the firmware of this board should have done instead. */
  async function plan(node: BootingNode, asker: "firmware" | "u-boot"): Promise<BootPlan> {
    const target = node.bootTarget;
    const image = target.kind === "local" ? await images.getByDigest(target.imageDigest) : undefined;
    const profile = await options.profile();
    return planBoot(node, image, asker === "u-boot" ? forUBoot(profile) : profile, await endpoints);
  }

  function tellFallback(node: Node, { fallback, look }: BootPlan): void {
    if (look !== undefined) {
      const about = { nodeId: node.id, nodeName: node.name };
      events.append({ type: "boot-config-rendered", severity: "warning", ...about, message: look });
    }
    if (fallback === undefined) return;
    const message = `${node.name} cannot boot local: ${fallback}`;
    events.append({
      type: "boot-config-rendered",
      severity: "error",
      nodeId: node.id,
      nodeName: node.name,
      message,
    });
  }

  return {
    async bootSpecFor(mac, address, protocol) {
      // Before that it is not known what a config should say, so nobody is discovered either.
      await endpoints;
      const node = find(mac, address, protocol);
      const planned = await plan(node ?? unrecorded(mac), "u-boot");
      tellRoot(node?.id, planned.spec);
      if (node === undefined) return planned.spec;
      nodes.bootPlanned(mac, planned.spec);
      tellFallback(node, planned);
      return planned.spec;
    },

    async specOf(mac) {
      return (await plan(nodes.get(mac) ?? unrecorded(mac), "firmware")).spec;
    },

    async noteBoot(mac, address, spec, protocol) {
      const node = find(mac, address, protocol);
      tellRoot(node?.id, spec);
      if (node === undefined) return;
      nodes.bootPlanned(mac, { ...spec, byFirmware: true });
      if (spec.label === "agent" && node.bootTarget.kind === "local") tellFallback(node, await plan(node, "firmware"));
    },

    async otherSpecFor(mac) {
      const node = nodes.get(mac);
      if (node === undefined) return undefined;
      const provedImage = node.proved && (await images.getByDigest(node.proved.imageDigest));
      const other = planOtherBoot(node, provedImage, forUBoot(await options.profile()), await endpoints);
      tellRoot(mac, other);
      return other;
    },
  };
}

/** A board that nobody knows, and that is not recorded: it comes into the agent, as one that was just discovered does. */
function unrecorded(id: NodeId): BootingNode {
  return { id, bootTarget: { kind: "agent" } };
}
