import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { bootTargets } from "../../../proto/words/boot-target.ts";
import { chooseBootTarget } from "../../nodes/choose-boot-target.ts";
import { chooseNodes } from "../../nodes/choose-nodes.ts";
import type { Node } from "../../nodes/node.ts";
import { invalid } from "../../refusal/refusal.ts";
import { assertNoReimage } from "../../reimage/plan/being-reimaged.ts";
import { nodeToWire } from "../wire/node-to-wire.ts";
import { type CallHost, handleUnary } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

type NodeDoors = Pick<
  wire.ControllerServiceServer,
  "listNodes" | "getNode" | "renameNode" | "acceptNodes" | "forgetNode" | "setBootTarget"
>;

/** The doors to what the controller knows about nodes. */
export function createNodeDoors(
  host: CallHost,
  { nodes, images, rollouts }: Pick<ControllerParts, "nodes" | "images" | "rollouts">,
): NodeDoors {
  const toWire = (node: Node): wire.Node => {
    const rolloutId = rollouts.activeRolloutOf(node.id);
    return nodeToWire(node, { online: nodes.isOnline(node), ...(rolloutId !== undefined && { rolloutId }) });
  };
  return {
    listNodes: handleUnary(host, (_request: wire.ListNodesRequest) => ({ nodes: nodes.list().map(toWire) })),

    getNode: handleUnary(host, ({ node }: wire.ControllerServiceGetNodeRequest) => ({
      node: toWire(nodes.require(node)),
    })),

    renameNode: handleUnary(host, ({ node, name }: wire.RenameNodeRequest) => ({
      node: toWire(nodes.rename(nodes.require(node).id, name)),
    })),

    acceptNodes: handleUnary(host, (choice: wire.AcceptNodesRequest) => {
      // Look up all before accepting the first, so that a misspelt name changes nothing.
      const meant = chooseNodes(choice, nodes);
      return { nodes: meant.map((node) => toWire(nodes.accept(node.id))) };
    }),

    forgetNode: handleUnary(host, ({ node: named }: wire.ForgetNodeRequest) => {
      const node = nodes.require(named);
      assertNoReimage(node, rollouts.activeRolloutOf);
      nodes.forget(node.id);
      return {};
    }),

    setBootTarget: handleUnary(host, async ({ node: named, bootTarget, imageName }: wire.SetBootTargetRequest) => {
      const node = nodes.require(named);
      const kind = bootTargets.fromWire(bootTarget);
      if (kind === undefined) throw invalid("the boot target is neither agent nor local");
      if (kind === "agent" && imageName !== "") throw invalid("an image is only valid with the boot target local");
      const target = await chooseBootTarget(node, kind, imageName === "" ? undefined : imageName, images);
      // After the last await, so that no rollout can start between the check and the change.
      assertNoReimage(node, rollouts.activeRolloutOf);
      return { node: toWire(nodes.setBootTarget(node.id, target)) };
    }),
  };
}
