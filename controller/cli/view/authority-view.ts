import type { Authority } from "../../../proto/gen/pallet/v1/controller.ts";
import { serverNameOf } from "../../../proto/identity/authority-name.ts";
import { derToPem } from "../../../proto/identity/pem.ts";

/** A certificate authority as `--json` shows it. */
export interface AuthorityView {
  readonly id: string;
  /** SHA-256 of its certificate (DER) in base64url, as the kernel word "pallet.ca" says it. */
  readonly fingerprint: string;
  /** Whether it is the one that signs. */
  readonly current: boolean;
  /** The server name (SNI) by which the controller presents a certificate of it. */
  readonly serverName: string;
  /** Names of those who go by it. */
  readonly nodes: readonly string[];
  readonly operators: readonly string[];
  /** PEM. */
  readonly certificate: string;
}

/** An authority as it came over the wire. */
export function viewAuthority({
  id,
  fingerprint,
  certificateDer,
  current,
  nodes,
  operators,
}: Authority): AuthorityView {
  return {
    ...{ id, fingerprint, current, nodes, operators },
    serverName: serverNameOf(fingerprint),
    certificate: derToPem(certificateDer, "CERTIFICATE"),
  };
}
