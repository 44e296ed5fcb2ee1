import { messageOf } from "../../../proto/failure.ts";

/** Whether a request failed because the server could not prove who it is, which waiting does not change. */
export function isCertificateError(error: unknown): boolean {
  return /CERT|ALTNAME|UNABLE_TO_VERIFY|SELF_SIGNED/.test(codeOf(error));
}

/** Why a request failed, with what to do: a clause. */
export function explainRequestError(error: unknown): string {
  const said = messageOf(error) || codeOf(error);
  if (isCertificateError(error))
    return `its certificate is not trusted (${said}): for an authority of your own, set NODE_EXTRA_CA_CERTS to the file with its certificate`;
  switch (codeOf(error)) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `no address is known for its host (${said}): check the address and the network`;
    case "ECONNREFUSED":
      return `nothing answers there (${said}): check the address`;
    default:
      return said;
  }
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}
