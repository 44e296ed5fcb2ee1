import type { NodeId } from "../../proto/names/node-id.ts";
import type { EventSeverity } from "../../proto/words/event-severity.ts";
import type { Caller } from "../callers/caller.ts";

/** Something that happened; see pallet.v1.Event. */
export interface Event {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What, in the past tense and kebab-case. */
  readonly type: EventType;
  readonly severity: EventSeverity;
  readonly nodeId?: NodeId;
  readonly nodeName?: string;
  readonly rolloutId?: string;
  readonly message: string;
  /** Who did it; absent in what was kept before authors were. */
  readonly by?: Caller;
  /** The IP address from which it was asked for. */
  readonly from?: string;
}

/** Every kind of event that the controller records. */
export type EventType =
  | "controller-started"
  | "controller-stopped"
  | "insecure-opened"
  | "state-lost"
  | "state-unsaved"
  | "state-saved"
  | "state-restored"
  | "backup-taken"
  | "backup-failed"
  | "events-lost"
  | "node-discovered"
  | "strangers-forgotten"
  | "discovery-limited"
  | "node-registered"
  | "registration-refused"
  | "boot-trouble-began"
  | "boot-trouble-ended"
  | "mac-claimed-twice"
  | "mac-claim-ended"
  | "node-kept-in-agent"
  | "node-went-silent"
  | "node-came-back"
  | "node-renamed"
  | "node-accepted"
  | "node-accepted-by-rule"
  | "node-labelled"
  | "node-forgotten"
  | "node-restored"
  | "board-changed"
  | "stamp-unknown"
  | "agent-outdated"
  | "address-leased"
  | "address-refused"
  | "boot-server-told"
  | "boot-target-changed"
  | "root-ids-changed"
  | "kernels-parted"
  | "kernels-agree"
  | "boot-config-rendered"
  | "boot-file-fetched"
  | "boot-file-missing"
  | "boot-file-refused"
  | "image-added"
  | "image-removed"
  | "root-removed"
  | "rollout-started"
  | "rollout-ended"
  | "rollout-cancelled"
  | "reimage-phase-changed"
  | "reimage-write-restarted"
  | "reimage-proved"
  | "reimage-failed"
  | "reimage-cancelled"
  | "reimage-configured"
  | "reimage-unconfigured"
  | "task-started"
  | "task-finished"
  | "task-failed"
  | "tasks-retried"
  | "hook-started"
  | "hook-succeeded"
  | "hook-failed"
  | "node-operation-started"
  | "node-rebooted"
  | "enrollment-refused"
  | "operator-added"
  | "operator-revoked"
  | "authority-made"
  | "authority-rotated"
  | "authority-retired";

/** An event before the log gave it an id, a time and its author. */
export type NewEvent = Omit<Event, "id" | "at" | "by" | "from">;
