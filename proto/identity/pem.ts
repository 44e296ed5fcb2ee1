/** DER between the lines that RFC 7468 puts around it. */
export function derToPem(der: Uint8Array, label: "CERTIFICATE" | "PRIVATE KEY"): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** What stands under one label in a text, in its order; whatever is around it is left out. */
export function pemToDer(text: string, label: "CERTIFICATE" | "PRIVATE KEY"): Uint8Array[] {
  const block = new RegExp(`-----BEGIN ${label}-----\\s([A-Za-z0-9+/=\\s]*?)-----END ${label}-----`, "g");
  return [...text.matchAll(block)].map(([, body = ""]) => Buffer.from(body, "base64"));
}
