import type { Rollout } from "../../proto/gen/pallet/v1/rollout.ts";

/** One block of lines per node: what it proved, or why it did not. */
export function renderProofs(rollout: Rollout, expectedDigest: string): string {
  return rollout.reimages
    .flatMap(({ nodeName, nodeId, proof, failure }) =>
      proof === undefined
        ? [`${nodeName} (${nodeId})  NOT PROVED: ${failure?.message ?? "it did not end"}`]
        : [
            `${nodeName} (${nodeId})`,
            `  boot id      ${proof.previousBootId} before, ${proof.bootId} after`,
            `  root device  ${proof.rootDevice}`,
            `  image        sha256:${proof.imageDigest}${proof.imageDigest === expectedDigest ? "" : "  (NOT the image)"}`,
          ],
    )
    .join("\n");
}
