import type { OperationId } from "../../../proto/operation/operation.ts";
import type { DiskFirmware } from "../../../proto/operation/operation-spec.ts";
import type { AgentInstance } from "../../agents/agent-instance.ts";
import type { EventType } from "../../events/event.ts";
import type { DiskIdentity } from "../plan/disk-identity.ts";
import type { Sighting } from "./reimage-event.ts";
import type { EndKind } from "./reimage-state.ts";

/** An effect that a reimage requests, as data. Executors carry it out; see controller/reimage/executors/. */
export type Effect =
  /** Run the node's before-reimage hooks; answers when all have succeeded, or one has failed. */
  | { readonly type: "run-hooks" }
  /** Have the hooks that follow on this end run, whatever becomes of this reimage; durable before the next effect. */
  | {
      readonly type: "queue-hooks";
      readonly of: EndKind;
    }
  /** Where the node's next boot goes; durable before the next effect is carried out. */
  | { readonly type: "set-boot-target"; readonly target: "agent" | "local" }
  /** Give the node back what it was before: boot target, proof and installation. */
  | { readonly type: "restore-node" }
  /** Ask a boot of the netbooted agent to end, if the node's boot target still is its own system. */
  | { readonly type: "send-back"; readonly expectedBootId: string }
  /** Look whether an agent of the node is online now; answers like a registration, or not at all. */
  | { readonly type: "inspect-node" }
  /** Ask an agent that was taken for gone whether it is there; answers only if it is, as itself. */
  | { readonly type: "confirm-agent"; readonly sighting: Sighting }
  /** Probes whether the node answers on the network; reports only if it does. */
  | { readonly type: "probe-node" }
  | { readonly type: "reboot-node"; readonly expectedBootId: string }
  /** Ask for the disks and choose one; `disk` when it is chosen already, `identity` when it was seen already. */
  | {
      readonly type: "preflight";
      readonly agent: AgentInstance;
      readonly disk?: string;
      readonly identity?: DiskIdentity;
    }
  /** Start the write, unless the agent knows it already, and watch it. `startedAt` makes repetitions equal. */
  | {
      readonly type: "start-write";
      readonly agent: AgentInstance;
      readonly operationId: OperationId;
      readonly disk: string;
      readonly diskFirmware?: DiskFirmware;
      readonly startedAt: number;
    }
  | { readonly type: "watch-write"; readonly operationId: OperationId }
  /** `agent`: whom to ask, where the phase does not say it any more. */
  | { readonly type: "cancel-write"; readonly operationId: OperationId; readonly agent?: AgentInstance }
  /** There is one timer of each kind; arming it again replaces it, entering another phase disarms it. */
  | { readonly type: "arm-timer"; readonly timer: "deadline" | "retry"; readonly delayMs: number }
  /** Forget on the node what it has proved: the disk with that system is erased next. */
  | { readonly type: "void-proof" }
  /** Remember on the node what it has proved. */
  | { readonly type: "record-proof" }
  | {
      readonly type: "record-event";
      readonly event: EventType;
      readonly severity: "info" | "warning" | "error";
      readonly message: string;
    }
  /** Reports that every effect of this end before this one is done. */
  | { readonly type: "settle"; readonly of: EndKind };

export type EffectType = Effect["type"];

/** The effect of that type, with its fields. */
export type EffectOf<Type extends EffectType> = Extract<Effect, { readonly type: Type }>;
