import type { EventType } from "./event.ts";

/**
 * What an event is worth to who reads the log weeks later. Each lane has its own place in the log, so that what happens
 * a thousand times a minute never pushes out what happened once.
 *
 * - verdicts: what operators and rollouts did, and how it ended. Nobody on the network can make one.
 * - phases: how far each reimage came.
 * - signs: what agents say of themselves, and what is wrong with a node.
 * - steps: what any machine on the network causes by asking for a file or an address.
 */
export type EventLane = "verdicts" | "phases" | "signs" | "steps";

const lanes: Readonly<Record<EventType, EventLane>> = {
  "controller-started": "verdicts",
  "controller-stopped": "verdicts",
  "insecure-opened": "verdicts",
  "state-lost": "verdicts",
  "state-unsaved": "verdicts",
  "state-saved": "verdicts",
  "state-restored": "verdicts",
  "backup-taken": "verdicts",
  "backup-failed": "verdicts",
  "events-lost": "verdicts",
  "node-renamed": "verdicts",
  "node-accepted": "verdicts",
  "node-labelled": "verdicts",
  "node-forgotten": "verdicts",
  "boot-target-changed": "verdicts",
  "image-added": "verdicts",
  "image-removed": "verdicts",
  "root-removed": "verdicts",
  "rollout-started": "verdicts",
  "rollout-ended": "verdicts",
  "rollout-cancelled": "verdicts",
  "reimage-proved": "verdicts",
  "reimage-failed": "verdicts",
  "reimage-cancelled": "verdicts",
  "reimage-configured": "verdicts",
  "reimage-unconfigured": "verdicts",
  "tasks-retried": "verdicts",
  "hook-failed": "verdicts",
  "node-operation-started": "verdicts",
  "node-kept-in-agent": "verdicts",
  "node-rebooted": "verdicts",
  "operator-added": "verdicts",
  "operator-revoked": "verdicts",
  "authority-made": "verdicts",
  "authority-rotated": "verdicts",
  "authority-retired": "verdicts",
  "reimage-phase-changed": "phases",
  "reimage-write-restarted": "phases",
  "hook-started": "phases",
  "hook-succeeded": "phases",
  "node-discovered": "signs",
  "strangers-forgotten": "signs",
  "discovery-limited": "signs",
  "node-registered": "signs",
  "node-accepted-by-rule": "signs",
  "registration-refused": "signs",
  "enrollment-refused": "signs",
  "boot-trouble-began": "signs",
  "boot-trouble-ended": "signs",
  "node-restored": "signs",
  "board-changed": "signs",
  "stamp-unknown": "signs",
  "mac-claimed-twice": "signs",
  "mac-claim-ended": "signs",
  "node-went-silent": "signs",
  "node-came-back": "signs",
  "agent-outdated": "signs",
  "root-ids-changed": "signs",
  "kernels-parted": "signs",
  "kernels-agree": "signs",
  "task-started": "signs",
  "task-finished": "signs",
  "task-failed": "signs",
  "address-leased": "steps",
  "address-refused": "steps",
  "boot-server-told": "steps",
  "boot-config-rendered": "steps",
  "boot-file-fetched": "steps",
  "boot-file-missing": "steps",
  "boot-file-refused": "steps",
};

/** The lane of a type of event. One that only a newer Pallet knows, which wrote into this database, is kept with the best. */
export function laneOf(type: string): EventLane {
  return Object.hasOwn(lanes, type) ? lanes[type as EventType] : "verdicts";
}
