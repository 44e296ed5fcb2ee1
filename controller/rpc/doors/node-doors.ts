import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { bootTargets } from "../../../proto/words/boot-target.ts";
import { chooseBootTarget, warnOfBootTarget } from "../../nodes/choose-boot-target.ts";
import { chooseNodes } from "../../nodes/choose-nodes.ts";
import { describeForgetting } from "../../nodes/describe-forgetting.ts";
import { assertAccepted } from "../../nodes/judge-acceptance.ts";
import { stampedSystemOf } from "../../nodes/judge-stamped-system.ts";
import { type LabelChanges, problemOfLabelling } from "../../nodes/label.ts";
import type { Node } from "../../nodes/node.ts";
import { type NodeStanding, selectNodes } from "../../nodes/select-nodes.ts";
import { alreadyExists, invalid, precondition } from "../../refusal/refusal.ts";
import { failedNodes } from "../../reimage/failed-nodes.ts";
import { assertNoReimage } from "../../reimage/plan/being-reimaged.ts";
import { nodeToWire } from "../wire/node-to-wire.ts";
import { lastReimageToWire } from "../wire/rollout-to-wire.ts";
import { labelChangesFromWire, selectorFromWire } from "../wire/selector-from-wire.ts";
import { type CallHost, handleUnary } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

type NodeDoors = Pick<
  wire.ControllerServiceServer,
  "listNodes" | "selectNodes" | "getNode" | "renameNode" | "acceptNodes" | "labelNodes" | "forgetNode" | "setBootTarget"
>;

/** Throws when the node cannot take the labels: looked at for all nodes before the first is changed. */
function assertLabelling({ name, labels }: Node, changes: LabelChanges, overwrite: boolean): void {
  const problem = problemOfLabelling(labels ?? {}, changes, overwrite);
  if (problem?.kind === "taken") throw alreadyExists(`${name} ${problem.message}`);
  if (problem !== undefined) throw invalid(`${name} ${problem.message}`);
}

/** The doors to what the controller knows about nodes. */
export function createNodeDoors(
  host: CallHost,
  { nodes, acceptRules, images, rollouts }: Pick<ControllerParts, "nodes" | "acceptRules" | "images" | "rollouts">,
): NodeDoors {
  const toWire = (node: Node, last?: ReturnType<typeof rollouts.lastReimageOf>): wire.Node => {
    const rolloutId = rollouts.activeRolloutOf(node.id);
    return nodeToWire(node, {
      online: nodes.isOnline(node),
      troubles: nodes.troublesOf(node),
      ...(rolloutId !== undefined && { rolloutId }),
      ...(last && { lastReimage: lastReimageToWire(last.rollout, last.reimage) }),
    });
  };
  const select = (given: wire.NodeSelector | undefined, acceptedOnly: boolean): Node[] => {
    const selector = selectorFromWire(given);
    // Only where it is asked for: it reads the whole journal.
    const failed = selector.states.includes("failed") ? failedNodes(rollouts.list()) : undefined;
    const standingOf = (node: Node): NodeStanding => ({
      online: nodes.isOnline(node),
      reimaging: rollouts.activeRolloutOf(node.id) !== undefined,
      failed: failed?.has(node.id, node.discoveredAt) ?? false,
    });
    return selectNodes(selector, nodes, { standingOf, acceptedOnly });
  };
  return {
    listNodes: handleUnary(host, (_request: wire.ListNodesRequest) => ({
      nodes: nodes.list().map((node) => toWire(node)),
    })),

    selectNodes: handleUnary(host, ({ selector, acceptedOnly }: wire.SelectNodesRequest) => ({
      nodes: select(selector, acceptedOnly).map((node) => toWire(node)),
    })),

    labelNodes: handleUnary(host, ({ selector, overwrite, ...changes }: wire.LabelNodesRequest) => {
      const wanted = labelChangesFromWire(changes);
      const meant = select(selector, false);
      for (const node of meant) assertLabelling(node, wanted, overwrite);
      return { nodes: meant.map((node) => toWire(nodes.label(node.id, wanted))) };
    }),

    getNode: handleUnary(host, ({ node: named }: wire.ControllerServiceGetNodeRequest) => {
      const node = nodes.require(named);
      return { node: toWire(node, rollouts.lastReimageOf(node.id)) };
    }),

    renameNode: handleUnary(host, ({ node, name }: wire.RenameNodeRequest) => ({
      node: toWire(nodes.rename(nodes.require(node).id, name)),
    })),

    acceptNodes: handleUnary(host, (request: wire.AcceptNodesRequest) => {
      const { next, expect, noLongerExpect, rulesOnly } = request;
      const hasRules = rulesOnly || next !== undefined || expect.length + noLongerExpect.length > 0;
      const isChoice = request.all || request.nodes.length > 0 || !hasRules;
      // Look up all before accepting the first, so that a misspelt name changes nothing.
      // That another board takes over a name is said of that board alone.
      const meant = isChoice ? chooseNodes(request, nodes, ({ board }) => board?.replaced === undefined) : [];
      if (hasRules && !rulesOnly) {
        acceptRules.change({ ...(next !== undefined && { next }), expect, noLongerExpect });
      }
      const accepted = [...meant.map((node) => nodes.accept(node.id)), ...nodes.acceptNamed()];
      const { configured, ...rules } = acceptRules.now();
      return {
        nodes: accepted.map((node) => toWire(node)),
        rules: { next: rules.next, expected: [...rules.expected], configured: [...configured] },
      };
    }),

    forgetNode: handleUnary(host, async ({ node: named, force }: wire.ForgetNodeRequest) => {
      const digest = stampedSystemOf(nodes.require(named))?.imageDigest ?? nodes.require(named).proved?.imageDigest;
      const hasImage = digest !== undefined && (await images.getByDigest(digest)) !== undefined;
      // After the last await, so that nothing changes between the check and the deed.
      const node = nodes.require(named);
      assertNoReimage(node, rollouts.activeRolloutOf);
      const follows = describeForgetting(node, { online: nodes.isOnline(node), hasImage });
      if (follows !== undefined && !force) throw precondition(`${follows}; to forget it all the same, give --yes`);
      nodes.forget(node.id);
      return {};
    }),

    setBootTarget: handleUnary(
      host,
      async ({ node: named, bootTarget, imageName, force }: wire.SetBootTargetRequest) => {
        const node = nodes.require(named);
        // Into the agent anybody may come.
        if (bootTargets.fromWire(bootTarget) === "local") assertAccepted(node);
        const kind = bootTargets.fromWire(bootTarget);
        if (kind === undefined) throw invalid("the boot target is neither agent nor local");
        if (kind === "agent" && imageName !== "") throw invalid("an image is only valid with the boot target local");
        const target = await chooseBootTarget(node, { kind, imageName: imageName || undefined, force }, images);
        // After the last await, so that no rollout can start between the check and the change.
        assertNoReimage(node, rollouts.activeRolloutOf);
        const warning = warnOfBootTarget(nodes.get(node.id) ?? node, target) ?? "";
        return { node: toWire(nodes.setBootTarget(node.id, target)), warning };
      },
    ),
  };
}
