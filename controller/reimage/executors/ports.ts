import type { NodeId } from "../../../proto/names/node-id.ts";
import type { RootIds } from "../../../proto/node/root-ids.ts";
import type { NewEvent } from "../../events/event.ts";
import type { Hooks } from "../../hooks/hooks.ts";
import type { ImageLookup } from "../../images/catalogue/find-image.ts";
import type { Image } from "../../images/catalogue/image.ts";
import type { GivenBack } from "../../nodes/give-back.ts";
import type { BootTarget, Installation, Node } from "../../nodes/node.ts";
import type { NodeChangeListener } from "../../nodes/node-change.ts";
import type { ProfileSet } from "../../profiles/profile-folder.ts";

/**
 * The nodes, as reimages need them; controller/nodes/node-registry.ts implements it. Everything is durable on return.
 */
export interface NodePort {
  list(): readonly Node[];
  get(id: NodeId): Node | undefined;
  /** By name, MAC address in any usual notation, or serial number. Throws a Refusal (not-found) when there is none. */
  require(nameOrMacOrSerial: string): Node;
  /** Whether its agent is heard from. */
  isOnline(node: Node): boolean;
  /** Drops what the node has proved, and notes what is written instead; durable when it returns. */
  voidProof(id: NodeId, next: Pick<Installation, "imageDigest" | "reimageId" | "resident" | "config">): unknown;
  /**
   * Takes back what this reimage changed: the boot target, and, where it had voided them, proof and installation;
   * durable when it returns.
   */
  giveBack(id: NodeId, reimageId: string, given: GivenBack): unknown;
  /** Keeps by which ids the root that this reimage wrote is found; durable when it returns. */
  setRoot(id: NodeId, reimageId: string, root: RootIds): unknown;
  /** Keeps the public host keys that this reimage gave to the system that it wrote; durable when it returns. */
  setHostKeys(id: NodeId, reimageId: string, hostKeys: readonly string[]): unknown;
  /** Durable when it returns: a reboot may follow at once. */
  setBootTarget(id: NodeId, target: BootTarget): unknown;
  setProved(id: NodeId, proved: NonNullable<Node["proved"]>): unknown;
  /** Calls the listener after every change; the returned function ends that. */
  onChange(listener: NodeChangeListener): () => void;
}

/** The images, as reimages need them; controller/images/image-store.ts implements it. */
export interface ImagePort extends ImageLookup {
  list(): Promise<readonly Image[]>;
}

/** The profiles, as reimages need them; controller/profiles/profile-folder.ts implements it. */
export interface ProfilePort {
  /** As they are now. Rejects with a Failure (invalid) that lists everything that is wrong in the folder. */
  read(): Promise<Pick<ProfileSet, "systemFor">>;
}

/** What runs on the management machine; controller/hooks/hooks.ts implements it. */
export type HookPort = Pick<Hooks, "concern" | "run" | "given" | "forget" | "queue">;

/** Where events go; controller/events/event-log.ts implements it. */
export interface EventPort {
  append(event: NewEvent): unknown;
}

/** Where failures go that no caller waits for; a pino logger implements it. */
export interface LogPort {
  error(details: object, message: string): void;
  warn(details: object, message: string): void;
}
