import { type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { cutText } from "../../proto/cut-text.ts";
import { authorityIdOf, fingerprintOf, parseServerName, serverNameOf } from "../../proto/identity/authority-name.ts";
import { createKey, parseRequest, publicKeyOf } from "../../proto/identity/certificate-request.ts";
import { type Identity, renderIdentity } from "../../proto/identity/identity.ts";
import { derToPem } from "../../proto/identity/pem.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { invalid, notFound, precondition } from "../refusal/refusal.ts";
import type { AuthorityFiles, KeptAuthority } from "./authority-files.ts";
import { neverEnds, renderCertificate } from "./render-certificate.ts";
import { endOfValidity } from "./validity.ts";

/** An authority whose certificates count. */
export interface KnownAuthority {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** What the kernel word "pallet.ca" says. */
  readonly fingerprint: string;
  readonly certificate: X509Certificate;
}

/** A key and the certificates that go with it, as node:tls takes them (PEM). */
export interface Credential {
  readonly key: string;
  /** The certificate, and behind it that of its authority. */
  readonly cert: string;
}

/** A certificate that was made. */
export interface Issued {
  /** DER. */
  readonly certificate: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Fingerprint of the authority that signed it. */
  readonly authority: string;
}

/** The controller's certificate authority: the one that signs, and former ones, whose certificates still count. */
export interface Authority {
  current(): KnownAuthority;
  /** The current one first. */
  all(): readonly KnownAuthority[];
  /** Their certificates (DER), the current one's first: what agents are told to believe. */
  certificates(): readonly Uint8Array[];
  /** Their certificates, for judging peers. */
  trusted(): readonly X509Certificate[];
  /**
   * The controller's own credential, signed by the authority that the server name asks for, or else by the current one.
   * Its key was made when this process began, and is nowhere else.
   */
  leafFor(serverName: string | undefined): Credential;
  /**
   * A certificate for whoever made the request (PKCS #10, DER); it names `identity`, whatever the request asks for.
   *
   * @param forMs how long it is to be good, in milliseconds; the kind of identity decides unless given
   * Throws a Failure "invalid" when the request is malformed, is for another kind of key than P-256, or does not prove
   * possession of it.
   */
  issue(request: Uint8Array, identity: Exclude<Identity, { kind: "controller" }>, forMs?: number): Issued;
  /** Makes a new authority, which signs from now on. What former ones signed goes on to count. */
  rotate(): Promise<KnownAuthority>;
  /** Nothing that this former authority signed counts any more. Rejects with a Refusal for the current one. */
  retire(id: string): Promise<void>;
  /** The former or current authority that a person means by its id or the beginning of it. Throws a Refusal. */
  require(id: string): KnownAuthority;
  /** Notifies of rotations and retirements, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

/** Fewer digits of an id are taken for a slip. */
const leastDigits = 4;

/** An authority with what must not be shown. What leaves this module is `known` alone. */
interface Held extends KeptAuthority {
  readonly known: KnownAuthority;
  readonly leaf: Credential;
}

/**
 * Opens the authority that the files hold. Where there is none it makes one, which is the first start.
 *
 * @param onCreated notified of the first authority
 */
export async function openAuthority(
  files: AuthorityFiles,
  { clock, onCreated }: { readonly clock: Clock; readonly onCreated?: (made: KnownAuthority) => void },
): Promise<Authority> {
  const kept = await files.read();
  const leafKey = createKey();
  const held = (authority: KeptAuthority): Held => holdOf(authority, leafKey);
  let current = kept.current && held(kept.current);
  if (current === undefined) {
    current = held(createAuthority());
    await files.saveCurrent(current);
    onCreated?.(current.known);
  }
  let all: readonly Held[] = [current, ...kept.former.map(held)];
  const first = (): Held => all[0] as Held;
  const listeners = new Set<() => void>();
  const become = (next: readonly Held[]): void => {
    all = next;
    for (const listener of listeners) listener();
  };
  let last: Promise<unknown> = Promise.resolve();
  /** Two that meet would each take the files for what the other has just changed. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act, act);
    last = turn.catch(() => undefined);
    return turn;
  };
  const require = (id: string): KnownAuthority => {
    if (id.length < leastDigits)
      throw invalid(`"${id}" may mean several authorities; give at least ${leastDigits} digits`);
    const found = all.filter(({ known }) => known.id.startsWith(id.toLowerCase()));
    if (found.length > 1) throw invalid(`several authorities begin with ${cutText(id, 80)}; give more digits`);
    const [only] = found;
    if (only === undefined) throw notFound(`no authority is called ${cutText(id, 80)}`);
    return only.known;
  };

  return {
    current: () => first().known,
    all: () => all.map(({ known }) => known),
    certificates: () => all.map(({ certificate }) => certificate.raw),
    trusted: () => all.map(({ certificate }) => certificate),
    leafFor(serverName) {
      const id = serverName === undefined ? undefined : parseServerName(serverName);
      return (all.find(({ known }) => known.id === id) ?? first()).leaf;
    },
    issue(request, identity, forMs) {
      const parsed = parseRequest(request);
      if ("problem" in parsed) throw invalid(`the certificate request is refused: ${parsed.problem}`);
      const expiresAt = endOfValidity(identity.kind, clock.now(), forMs);
      const signer = first();
      const certificate = renderCertificate(
        {
          ...contentBy(signer, parsed.publicKey),
          names: [{ kind: "uri", value: renderIdentity(identity) }],
          notAfter: expiresAt,
          uses: identity.kind === "operator" ? ["client"] : ["server", "client"],
        },
        signer.key,
      );
      return { certificate, expiresAt, authority: signer.known.fingerprint };
    },
    rotate: () =>
      inTurn(async () => {
        const next = held(createAuthority());
        // In this order, so that whatever a power cut leaves, no authority is lost.
        await files.saveFormer(first());
        await files.saveCurrent(next);
        become([next, ...all]);
        return next.known;
      }),
    retire: (id) =>
      inTurn(async () => {
        const { id: whole } = require(id);
        if (whole === first().known.id) throw precondition(`authority ${whole} is the one that signs; rotate first`);
        await files.removeFormer(whole);
        become(all.filter(({ known }) => known.id !== whole));
      }),
    require,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function createAuthority(): KeptAuthority {
  const key = createKey();
  const publicKey = publicKeyOf(key);
  const serial = newSerial();
  // Its name tells authorities apart for programs that look for an issuer by name.
  const name = `Pallet authority ${Buffer.from(serial).toString("hex").slice(0, 16)}`;
  const certificate = renderCertificate(
    {
      ...{ serial, issuer: name, subject: name, names: [], notAfter: neverEnds },
      ...{ publicKey, issuerPublicKey: publicKey, uses: "authority" },
    },
    key,
  );
  return { key, certificate: new X509Certificate(certificate) };
}

function holdOf(authority: KeptAuthority, leafKey: KeyObject): Held {
  const { certificate, key } = authority;
  const fingerprint = fingerprintOf(certificate.raw);
  const leaf = renderCertificate(
    {
      ...contentBy(authority, publicKeyOf(leafKey)),
      // The server name beside the identity is for clients that compare one: buf curl, curl, openssl.
      names: [
        { kind: "uri", value: renderIdentity({ kind: "controller" }) },
        { kind: "dns", value: serverNameOf(fingerprint) },
      ],
      notAfter: endOfValidity("controller", 0),
      uses: ["server", "client"],
    },
    key,
  );
  return {
    ...{ certificate, key, known: { certificate, fingerprint, id: authorityIdOf(fingerprint) } },
    leaf: {
      key: derToPem(leafKey.export({ type: "pkcs8", format: "der" }), "PRIVATE KEY"),
      cert: derToPem(leaf, "CERTIFICATE") + derToPem(certificate.raw, "CERTIFICATE"),
    },
  };
}

function contentBy({ certificate, key }: KeptAuthority, publicKey: Uint8Array) {
  return {
    serial: newSerial(),
    issuer: certificate.subject.replace(/^CN=/, ""),
    subject: "",
    publicKey,
    issuerPublicKey: publicKeyOf(key),
  } as const;
}

/** 128 bits, positive and of full length (RFC 5280, 4.1.2.2: at most 20 octets). */
function newSerial(): Uint8Array {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
