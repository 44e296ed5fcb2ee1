import type { Node } from "./node.ts";

/** Why a node's record changed. */
export type NodeChangeCause =
  | "discovered"
  | "registered"
  /** Directly after "registered": the board that another one had taken the place of, in whatever it booted there. */
  | "own-board-back"
  | "heartbeat"
  | "went-silent"
  | "came-back"
  | "renamed"
  | "accepted"
  | "labelled"
  | "forgotten"
  | "boot-target-changed"
  | "address-leased"
  | "boot-file-fetched"
  | "proved"
  | "proof-voided";

/** A node as it is after a change; after "forgotten", as it was before. */
export interface NodeChange {
  readonly node: Node;
  readonly cause: NodeChangeCause;
}

/** Notified of every change, in order, while it happens: it must be quick. */
export type NodeChangeListener = (change: NodeChange) => void;
