import { sortedByName } from "../../proto/names/natural-order.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import { shortDigest } from "../../proto/pack/digest.ts";
import type { Image } from "../images/catalogue/image.ts";
import { assertAccepted } from "../nodes/judge-acceptance.ts";
import type { Node } from "../nodes/node.ts";
import { invalid, notFound, precondition } from "../refusal/refusal.ts";
import type { ImagePort, NodePort } from "./executors/ports.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import type { RolloutId, RolloutRequest } from "./plan/rollout.ts";
import { optionsOf } from "./resolve-request.ts";

/** The refusal for an unknown rollout. */
export function noSuchRollout(id: RolloutId) {
  return notFound(`there is no rollout "${id}"; "controller rollouts" lists those that exist`);
}

/**
 * What a request asks for, and the rollout that it tries again. Throws a Refusal (not-found) when there is no such rollout.
 */
export function understand(
  request: RolloutRequest,
  journal: Pick<Journal, "get">,
): { readonly request: RolloutRequest; readonly entry?: JournalEntry } {
  if (request.retryOf === undefined) return { request };
  const entry = journal.get(request.retryOf);
  if (entry === undefined) throw noSuchRollout(request.retryOf);
  return { request: retryRequest(request, request.retryOf, entry), entry };
}

/**
 * What trying a rollout again asks for: its options, and that nodes which run the image by now are left alone.
 */
function retryRequest(request: RolloutRequest, id: RolloutId, entry: JournalEntry): RolloutRequest {
  const { nodes, imageDigest, seen } = request;
  return {
    ...{ nodes, all: false, retryOf: id, onlyChanged: true, imageName: entry.rollout.imageName },
    ...optionsOf(entry.rollout.request),
    ...(imageDigest !== undefined && { imageDigest }),
    ...(seen !== undefined && { seen }),
  };
}

/**
 * The nodes of a rollout that failed or were cancelled, or those of them that the request names; none that was forgotten
 * since. Throws a Failure for a named one that is none of them, and a Refusal for one that is not accepted (any more: another
 * board has its MAC address).
 */
export function resolveFailed({ rollout, reimages }: JournalEntry, named: readonly string[], nodes: NodePort): Node[] {
  const failed = reimages.filter(({ phase }) => phase.name === "failed" || phase.name === "cancelled");
  const ids = new Set<NodeId>(failed.map(({ nodeId }) => nodeId));
  if (named.length === 0) {
    const left = sortedByName([...ids].flatMap((id) => nodes.get(id) ?? []));
    assertAccepted(...left);
    return left;
  }
  const meant = named.map((text) => {
    const node = nodes.require(text);
    if (ids.has(node.id)) return node;
    throw invalid(`${node.name} neither failed nor was cancelled in rollout ${rollout.id}; reimage it by itself`);
  });
  assertAccepted(...meant);
  return sortedByName([...new Map(meant.map((node) => [node.id, node])).values()]);
}

/** The image of a rollout, whatever its name means by now. Throws a Refusal when it is gone, or is not what was confirmed. */
export async function resolveSameImage(
  { rollout }: JournalEntry,
  { imageDigest: confirmed }: RolloutRequest,
  images: ImagePort,
): Promise<Image> {
  const { id, imageName, imageDigest } = rollout;
  if (confirmed !== undefined && confirmed !== imageDigest)
    throw precondition(
      `rollout ${id} installed sha256 ${shortDigest(imageDigest)}, and sha256 ${shortDigest(confirmed)} was confirmed`,
    );
  const image = await images.getByDigest(imageDigest);
  if (image !== undefined) return image;
  throw precondition(
    `the image of rollout ${id} (${imageName}, sha256 ${shortDigest(imageDigest)}) is no longer in the catalogue; add it ` +
      "again, or reimage the nodes with another one",
  );
}
