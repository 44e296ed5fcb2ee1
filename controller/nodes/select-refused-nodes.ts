import { type NodeId, parseMacAddress } from "../../proto/names/node-id.ts";
import type { Node } from "./node.ts";

/** A registration that was refused, as far as it says whose it was. Everything in it is a stranger's word. */
export interface RefusedRegistration {
  /** The boot MAC that it named, if that is a MAC address. */
  readonly id?: NodeId;
  /** As the node reports it; empty when it reported none. */
  readonly serial: string;
  /** Of its interfaces. */
  readonly macs: readonly string[];
  /** IP address that it came from. */
  readonly address?: string;
  /** Why it was refused. */
  readonly message: string;
}

/**
 * The known nodes that a refused registration is about: the one that it names, and the one that it is by its own serial
 * number or MAC addresses, where that is another; and when it gives nothing to go by, the one that used its IP address.
 * Never one that was not known before.
 *
 * @param byAddress the node that used the IP address lately
 */
export function selectRefusedNodes(
  nodes: readonly Node[],
  { id, serial, macs }: RefusedRegistration,
  byAddress: NodeId | undefined,
): readonly Node[] {
  const named = nodes.find((node) => node.id === id);
  const [bySerial, ...twins] = serial === "" ? [] : nodes.filter(({ facts }) => facts?.serial === serial.toLowerCase());
  const own = new Set(macs.map(parseMacAddress));
  const itself = (twins.length === 0 ? bySerial : undefined) ?? nodes.find((node) => own.has(node.id));
  const found = new Set([named, itself].filter((node) => node !== undefined));
  if (found.size > 0) return [...found];
  return nodes.filter((node) => node.id === byAddress);
}
