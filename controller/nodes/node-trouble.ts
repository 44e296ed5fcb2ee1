import type { NodeTroubleKind } from "../../proto/words/node-trouble-kind.ts";

/** What keeps a node from being heard; see pallet.v1.NodeTrouble. Times are milliseconds since the epoch. */
export interface NodeTrouble {
  readonly kind: NodeTroubleKind;
  /** One sentence for a person, without the node's name and without a full stop. */
  readonly message: string;
  readonly since: number;
  readonly lastAt: number;
  /** Of refusals, boots, or transfers that broke off, by its kind. */
  readonly count: number;
}
