import { X509Certificate } from "node:crypto";
import { authorityIdOf, fingerprintOf } from "../../proto/identity/authority-name.ts";
import { describeIdentity } from "../../proto/identity/identity.ts";
import { judgePeer, type keyUses } from "../../proto/identity/judge-peer.ts";

/** Whom an agent believes. */
export interface Trust {
  readonly authorities: readonly X509Certificate[];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * Why the other end of a TLS connection is not the controller that this agent obeys, for a sentence that starts with
 * who it is: "shows no certificate"; undefined when it is.
 *
 * @param shown its certificate (DER), whose key it has proved to hold
 * @param use what it presents it as
 */
export function judgeController(
  shown: Uint8Array | undefined,
  { authorities, nowMs }: Trust,
  use: keyof typeof keyUses,
): string | undefined {
  const certificate = parse(shown);
  if (certificate === "broken") return "shows a certificate that cannot be read";
  const verdict = judgePeer(certificate, authorities, nowMs, use);
  const known = authorities.map(({ raw }) => authorityIdOf(fingerprintOf(raw))).join(", ");
  switch (verdict.kind) {
    case "nobody":
      return "shows no certificate";
    case "stranger":
      return `shows a certificate that ${verdict.why} (this node believes the certificate authority ${known})`;
    case "expired":
      return `shows a certificate that expired at ${iso(verdict.expiresAt)}, and it is ${iso(nowMs)} here`;
    case "known":
      if (verdict.identity.kind === "controller") return undefined;
      return `shows the certificate of ${describeIdentity(verdict.identity)}, not that of the controller`;
  }
}

function parse(der: Uint8Array | undefined): X509Certificate | "broken" | undefined {
  if (der === undefined || der.length === 0) return undefined;
  try {
    return new X509Certificate(der);
  } catch {
    return "broken";
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
