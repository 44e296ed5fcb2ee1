import { describeIdentity } from "../../proto/identity/identity.ts";
import type { PeerVerdict } from "../../proto/identity/judge-peer.ts";
import type { OperatorRole } from "../../proto/words/operator-role.ts";
import { type Asker, mayCall } from "../identity/rpc-roles.ts";
import { denied, type Refusal, unproved } from "../refusal/refusal.ts";

/**
 * Why a caller with this certificate may not call a method over TCP; undefined if he may.
 *
 * @param path "/pallet.v1.ControllerService/ListNodes"
 * @param roleOf the role of the operator with this name, if the certificate with this fingerprint is his and counts
 */
export function judgeCall(
  path: string,
  peer: PeerVerdict,
  roleOf: (name: string, fingerprint: string) => OperatorRole | undefined,
): Refusal | undefined {
  const standing = standingOf(peer, roleOf);
  if (mayCall(path, standing)) return undefined;
  const method = path.slice(path.lastIndexOf("/") + 1);
  switch (peer.kind) {
    case "nobody":
      return unproved(
        `${method} needs a certificate: run this on the management machine, or as an operator (--server, --bundle), whom "controller operator add" gives one`,
      );
    case "stranger":
      return unproved(`${method} needs a certificate of this controller, and the one that was presented ${peer.why}`);
    case "expired":
      return unproved(
        `the certificate of ${describeIdentity(peer.identity)} expired at ${new Date(peer.expiresAt).toISOString()}`,
      );
    case "known":
      return peer.identity.kind === "operator" && standing === "nobody"
        ? unproved(
            `the certificate of ${describeIdentity(peer.identity)} does not count any more: it was revoked or replaced`,
          )
        : denied(
            `${method} is not for ${describeIdentity(peer.identity)}${peer.identity.kind === "operator" ? `, whose role is ${standing}` : ""}`,
          );
  }
}

function standingOf(peer: PeerVerdict, roleOf: (name: string, fingerprint: string) => OperatorRole | undefined): Asker {
  if (peer.kind === "nobody" || peer.kind === "stranger") return "nobody";
  const { identity } = peer;
  switch (identity.kind) {
    case "netboot":
    case "resident":
      return peer.kind === "expired" ? "expired-agent" : identity.kind;
    case "operator":
      return peer.kind === "expired" ? "nobody" : (roleOf(identity.name, peer.fingerprint) ?? "nobody");
    case "controller":
      return "nobody";
  }
}
