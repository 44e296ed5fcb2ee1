import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { authorityIdOf, fingerprintOf, serverNameOf } from "../../proto/identity/authority-name.ts";
import { limits } from "../../proto/limits.ts";
import { type Endpoint, renderEndpoint } from "../../proto/names/endpoint.ts";
import { ForeignControllerError } from "./foreign-controller-error.ts";

/** How long whoever has the address may take to accept a connection, and then for the handshake, in milliseconds. */
const patienceMs = { connection: 5_000, handshake: limits.tls.handshakeMs.most };
/** Certificates of a chain that are looked at: the controller's own, and its authority's behind it. */
const mostLinks = 4;

/**
 * The certificate of the authority with this fingerprint, from the chain that the controller shows in a TLS handshake.
 * Nothing is sent over that connection, and nothing else that it brought is believed. Rejects with a
 * ForeignControllerError when the chain does not have it, and with the error of the connection.
 */
export async function pinAuthority(
  { host, port }: Endpoint,
  fingerprint: string,
  signal: AbortSignal,
): Promise<X509Certificate> {
  signal.throwIfAborted();
  const socket = connect({
    host,
    port,
    servername: serverNameOf(fingerprint),
    minVersion: "TLSv1.3",
    ALPNProtocols: ["h2"],
    // Whom to believe is what this is about to find out.
    rejectUnauthorized: false,
  });
  const end = (): void => void socket.destroy(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  const within = (ms: number, what: string) =>
    setTimeout(() => void socket.destroy(new Error(`no ${what} within ${ms / 1_000} s`)), ms);
  let timer = within(patienceMs.connection, "connection");
  socket.once("connect", () => {
    clearTimeout(timer);
    timer = within(patienceMs.handshake, "TLS handshake");
  });
  try {
    await once(socket, "secureConnect");
    const chain = chainOf(socket.getPeerCertificate(true));
    const found = chain.find((der) => fingerprintOf(der) === fingerprint);
    if (found !== undefined) return new X509Certificate(found);
    const shown = chain.at(-1);
    throw new ForeignControllerError(
      `what answers at ${renderEndpoint({ host, port })} is not the controller that booted this node: it shows the ` +
        `certificate authority ${shown === undefined ? "of nobody" : authorityIdOf(fingerprintOf(shown))}, and this node ` +
        `was told to believe ${authorityIdOf(fingerprint)} (pallet.ca)`,
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    socket.on("error", () => undefined);
    socket.destroy();
  }
}

/** The certificates of a chain (DER), the first one the peer's own. */
function chainOf(first: DetailedPeerCertificate): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let link: DetailedPeerCertificate | undefined = first;
  // Node lets the last one be its own issuer.
  while (link?.raw !== undefined && chain.length < mostLinks) {
    chain.push(link.raw);
    if (link.issuerCertificate === link) break;
    link = link.issuerCertificate;
  }
  return chain;
}
