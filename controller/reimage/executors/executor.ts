import type { DiskProtection } from "../../../proto/disk/protected-disk.ts";
import type { Endpoint } from "../../../proto/names/endpoint.ts";
import type { BootMoment } from "../../../proto/time/boot-moment.ts";
import type { Clock } from "../../../proto/time/clock.ts";
import type { AgentConnector } from "../../agents/agent-port.ts";
import type { NodeProbe } from "../../agents/probe-node.ts";
import type { ReachableNode } from "../../agents/reach-agent.ts";
import type { Loader } from "../../boot/choose-way.ts";
import type { Image } from "../../images/catalogue/image.ts";
import { areDifferentBoards, serialOf } from "../../nodes/judge-board.ts";
import type { Node } from "../../nodes/node.ts";
import type { Uplink } from "../../uplink/uplink.ts";
import type { EffectOf, EffectType } from "../machine/effect.ts";
import type { Answer, Occurrence } from "../machine/reimage-event.ts";
import type { ReimageState } from "../machine/reimage-state.ts";
import type { CardFirmwarePolicy } from "../plan/plan-disk-firmware.ts";
import type { EventPort, HookPort, ImagePort, LogPort, NodePort, ProfilePort } from "./ports.ts";

/** Where agents fetch the pack of an image and its manifest. */
export interface PackUrls {
  readonly pack: string;
  readonly manifest: string;
}

/** The executors' access to the outside world. */
export interface World {
  readonly nodes: NodePort;
  readonly images: ImagePort;
  /** Absent: there are none. */
  readonly profiles?: ProfilePort;
  readonly agents: AgentConnector;
  readonly probeNode: NodeProbe;
  readonly hooks: HookPort;
  readonly events: EventPort;
  readonly clock: Clock;
  /** This moment by a clock that nobody sets, for durations. */
  readonly moment: () => BootMoment;
  readonly log: LogPort;
  readonly uplink: Uplink;
  readonly packUrls: (image: Image) => PackUrls;
  /** Where agents reach this controller, for systems whose board boots without its words; absent is nowhere. */
  readonly controllers?: () => readonly Endpoint[];
  /** The disks that are never written. */
  readonly protectedDisks: DiskProtection;
  /** What happens to firmware on the cards that are written. */
  readonly cardFirmware: CardFirmwarePolicy;
  /** Who loads the kernels of nodes. Default "auto". */
  readonly loader?: Loader;
}

/** What an executor can see and report. */
export interface ExecutorContext {
  /** The state whose effect is carried out. */
  readonly state: ReimageState;
  readonly world: World;
  /** Aborted when the reimage has moved on, or the effect was replaced by another of its kind. */
  readonly signal: AbortSignal;
  /** Reports the result of the effect to the reimage; ignored once it has moved on. */
  readonly answer: (answer: Answer) => void;
  /** Reports an observation to the reimage. */
  readonly report: (occurrence: Occurrence) => void;
}

/** The node of the reimage; of one that was forgotten, only the name is left. */
export function nodeOf({ state, world }: ExecutorContext): ReachableNode {
  return world.nodes.get(state.nodeId) ?? { id: state.nodeId, name: state.nodeName };
}

/**
 * The record of the board that this reimage is about; undefined when it was forgotten, or when another board has its
 * MAC address by now: what is known of that one is not this reimage's to change.
 */
export function recordOfBoard({ state, world }: ExecutorContext): Node | undefined {
  const node = world.nodes.get(state.nodeId);
  if (node === undefined || areDifferentBoards(serialOf(node), state.before?.serial ?? "")) return undefined;
  return node;
}

/**
 * Carries out one kind of effect. A synchronous executor is done when it returns, and what it throws keeps the effects
 * after it from being carried out; an asynchronous one continues beside them.
 */
export type Executor<Type extends EffectType> = (
  effect: EffectOf<Type>,
  context: ExecutorContext,
) => void | Promise<void>;
