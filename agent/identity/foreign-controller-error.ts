/** What answers at the controller's address is not the controller that this agent believes. */
export class ForeignControllerError extends Error {
  override readonly name = "ForeignControllerError";
}

/** OpenSSL's words for a certificate that no believed authority signed (X509_verify_cert_error_string(3)). */
const unknownAuthority =
  /self[- ]signed certificate|unable to (verify the first|get (local )?issuer) certificate|certificate signature failure/i;
const wrongTime = /certificate (has expired|is not yet valid)/i;
const plain = /wrong version number|packet length too long|http request|EPROTO/i;

/**
 * What the words of a failed connection say about who is there, for a sentence that starts with "it"; undefined when
 * they say nothing about that. gRPC and OpenSSL put them into one text, and gRPC calls all of it "unavailable".
 */
export function explainRefusal(words: string): string | undefined {
  // The words of our own check of its name.
  const shown = /\bit (shows [^\n]*)/.exec(words)?.[1];
  if (shown !== undefined) return shown;
  if (unknownAuthority.test(words))
    return "shows a certificate of a certificate authority that this node does not believe";
  if (wrongTime.test(words)) return "shows a certificate whose time is not now, by this node's clock";
  if (plain.test(words)) return "does not speak TLS";
  return undefined;
}
