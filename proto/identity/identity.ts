import type { X509Certificate } from "node:crypto";
import { isId } from "../names/id.ts";
import { type NodeId, parseMacAddress } from "../names/node-id.ts";
import { parseServerName } from "./authority-name.ts";

/** Who somebody is, as a certificate says it. */
export type Identity =
  | { readonly kind: "controller" }
  /** The agent of one boot of a node from the network. */
  | { readonly kind: "netboot"; readonly nodeId: NodeId; readonly bootId: string }
  /** The agent inside the system that is installed on a node. */
  | { readonly kind: "resident"; readonly nodeId: NodeId }
  | { readonly kind: "operator"; readonly name: string };

/** What an operator's name looks like, for messages. */
export const operatorNameForm = "1 to 63 characters of a-z0-9._-, the first of a-z0-9";

/** Whether a text can be an operator's name. */
export function isOperatorName(text: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,62}$/.test(text);
}

/** The URI by which a certificate names an identity (subjectAltName of RFC 5280, 4.2.1.6). */
export function renderIdentity(identity: Identity): string {
  switch (identity.kind) {
    case "controller":
      return "pallet://controller";
    case "netboot":
      return `pallet://node/${dashed(identity.nodeId)}/netboot/${identity.bootId}`;
    case "resident":
      return `pallet://node/${dashed(identity.nodeId)}/resident`;
    case "operator":
      return `pallet://operator/${identity.name}`;
  }
}

/** The identity that a URI names; undefined for any other text. Only the way in which `renderIdentity` writes it counts. */
export function parseIdentity(uri: string): Identity | undefined {
  const identity = readIdentity(uri);
  return identity !== undefined && renderIdentity(identity) === uri ? identity : undefined;
}

/**
 * Who a certificate is about: its one URI says it. Beside that, only server names of ours may stand there, for clients
 * that compare those. Says nothing about whether the certificate is to be believed.
 */
export function identityOf(certificate: Pick<X509Certificate, "subjectAltName">): Identity | undefined {
  // Node quotes what could be mistaken for a second name, and no name of ours needs quotes.
  const names = certificate.subjectAltName?.split(", ") ?? [];
  const [uri, ...more] = names.filter((name) => !isServerName(name));
  return uri?.startsWith("URI:") && more.length === 0 ? parseIdentity(uri.slice("URI:".length)) : undefined;
}

function isServerName(name: string): boolean {
  return name.startsWith("DNS:") && parseServerName(name.slice("DNS:".length)) !== undefined;
}

/** The node that an identity speaks for; undefined for those that are no node. */
export function nodeOf(identity: Identity): NodeId | undefined {
  return identity.kind === "netboot" || identity.kind === "resident" ? identity.nodeId : undefined;
}

/** An identity in words, for people. */
export function describeIdentity(identity: Identity): string {
  switch (identity.kind) {
    case "controller":
      return "a controller";
    case "netboot":
      return `the agent of node ${identity.nodeId}, boot ${identity.bootId}`;
    case "resident":
      return `the resident agent of node ${identity.nodeId}`;
    case "operator":
      return `operator ${identity.name}`;
  }
}

function readIdentity(uri: string): Identity | undefined {
  const [scheme, empty, kind = "", subject = "", role, bootId, ...more] = uri.split("/");
  if (scheme !== "pallet:" || empty !== "" || more.length > 0) return undefined;
  if (kind === "controller") return { kind };
  if (kind === "operator") return isOperatorName(subject) ? { kind, name: subject } : undefined;
  const nodeId = kind === "node" ? parseMacAddress(subject) : undefined;
  if (nodeId === undefined) return undefined;
  if (role === "resident") return { kind: role, nodeId };
  return role === "netboot" && bootId !== undefined && isId(bootId) ? { kind: role, nodeId, bootId } : undefined;
}

function dashed(nodeId: NodeId): string {
  return nodeId.replaceAll(":", "-");
}
