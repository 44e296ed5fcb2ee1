import { ProofKind as WireKind } from "../gen/pallet/v1/rollout.ts";
import { wireWords } from "./wire-words.ts";

/** What the proof of a reimage rests on, and so how strong it is; see pallet.v1.ProofKind. */
export type ProofKind = "resident" | "weak";

/** The kinds of proofs as they travel. */
export const proofKinds = wireWords<ProofKind, WireKind>({
  resident: WireKind.PROOF_KIND_RESIDENT,
  weak: WireKind.PROOF_KIND_WEAK,
});
