import { type Authority, type Credential, openAuthority } from "../../../../controller/identity/authority.ts";
import type { AuthorityFiles } from "../../../../controller/identity/authority-files.ts";
import { createKey, createRequest } from "../../../../proto/identity/certificate-request.ts";
import type { Identity } from "../../../../proto/identity/identity.ts";
import { derToPem } from "../../../../proto/identity/pem.ts";
import { systemClock } from "../../../../proto/time/clock.ts";

/** A real authority whose files are nowhere. */
export function anAuthority(): Promise<Authority> {
  const none = async (): Promise<void> => undefined;
  const files: AuthorityFiles = {
    read: async () => ({ former: [] }),
    ...{ saveCurrent: none, saveFormer: none, removeFormer: none, saveTokenKey: none },
  };
  return openAuthority(files, { clock: systemClock });
}

/** A key, and the certificate that this authority makes for it. */
export function credentialOf(
  authority: Authority,
  identity: Exclude<Identity, { kind: "controller" }>,
  forMs?: number,
): Credential {
  const key = createKey();
  const { certificate } = authority.issue(createRequest(key), identity, forMs);
  const signer = authority.current().certificate.raw;
  return {
    key: derToPem(key.export({ type: "pkcs8", format: "der" }), "PRIVATE KEY"),
    cert: derToPem(certificate, "CERTIFICATE") + derToPem(signer, "CERTIFICATE"),
  };
}
