import type { ControllerServiceServer } from "../../../proto/gen/pallet/v1/controller.ts";
import { createAgentDoors } from "./agent-doors.ts";
import { createBackupDoors } from "./backup-doors.ts";
import { createEventDoors } from "./event-doors.ts";
import type { CallHost } from "./handle-call.ts";
import { createIdentityDoors } from "./identity-doors.ts";
import { createImageDoors } from "./image-doors.ts";
import { createNodeDoors } from "./node-doors.ts";
import { createNodeLogDoors } from "./node-log-doors.ts";
import type { ControllerParts } from "./parts.ts";
import { createProfileDoors } from "./profile-doors.ts";
import { createRolloutDoors } from "./rollout-doors.ts";
import { createRootDoors } from "./root-doors.ts";
import { createStatusDoors } from "./status-doors.ts";

/** pallet.v1.ControllerService over the core. */
export function createControllerService(host: CallHost, parts: ControllerParts): ControllerServiceServer {
  return {
    ...createStatusDoors(host, parts),
    ...createNodeDoors(host, parts),
    ...createAgentDoors(host, parts),
    ...createImageDoors(host, parts),
    ...createRootDoors(host, parts),
    ...createProfileDoors(host, parts),
    ...createRolloutDoors(host, parts),
    ...createEventDoors(host, parts),
    ...createNodeLogDoors(host, parts),
    ...createIdentityDoors(host, parts),
    ...createBackupDoors(host, parts),
  };
}
