import type { NodeId } from "../../proto/names/node-id.ts";
import { parseMacAddress } from "../../proto/names/node-id.ts";

/** What DNS calls the management machine in the nodes' network; no node can have the name. */
export const controllerName = "controller";

const hostName = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * What is wrong with a node name, as a sentence for the operator; undefined when nothing is. A name is a host name
 * (RFC 1123: 1 to 63 characters of [a-z0-9-], here beginning with a letter and not ending with a hyphen) that cannot
 * be mistaken for a MAC address.
 */
export function problemOfNodeName(name: string): string | undefined {
  if (name.length === 0 || name.length > 63) {
    return `a node's name has 1 to 63 characters, this one has ${name.length}`;
  }
  if (!hostName.test(name)) {
    return (
      `"${name}" cannot be a node's name: use lower-case letters, digits and hyphens, ` +
      "start with a letter and do not end with a hyphen"
    );
  }
  if (parseMacAddress(name) !== undefined) {
    return `"${name}" cannot be a node's name because it reads as a MAC address`;
  }
  return undefined;
}

/**
 * The name that a node gets when it is discovered: "node-" and the last three octets of its MAC address, more of them
 * when that name is taken, and at last a number.
 */
export function defaultNodeName(id: NodeId, isTaken: (name: string) => boolean): string {
  const digits = id.replaceAll(":", "");
  for (let octets = 3; octets <= 6; octets++) {
    const name = `node-${digits.slice(-2 * octets)}`;
    if (!isTaken(name)) return name;
  }
  for (let number = 2; ; number++) {
    const name = `node-${digits}-${number}`;
    if (!isTaken(name)) return name;
  }
}

/** Whether the name can be one that nobody gave: see `defaultNodeName`. */
export function isDefaultNodeName(name: string): boolean {
  return /^node-([0-9a-f]{2}){3,6}(-\d+)?$/.test(name);
}
