import { execFileSync } from "node:child_process";
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** A key and what a certificate authority says of it. */
export interface Leaf {
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
}

/** A certificate authority, made by openssl(1): another hand than the one whose work is tested. */
export interface TestAuthority {
  readonly certificate: X509Certificate;
  /** A certificate for a new key. The life is in days from now; the certificate begins in 1970 or, when negative, then. */
  issue(uri: string, life?: { readonly days: number }): Leaf;
  /** A certificate for a request (PKCS #10, DER). */
  sign(request: Uint8Array, uri: string, life?: { readonly days: number }): X509Certificate;
}

const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes a certificate authority. */
export function anAuthority(name = "Pallet test"): TestAuthority {
  const folder = mkdtempSync(path.join(tmpdir(), "pallet-authority-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const at = (file: string): string => path.join(folder, file);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { stdio: "ignore", cwd: folder });
  writeFileSync(
    at("ca.cnf"),
    `[ca]\ndefault_ca=it\n[it]\ndatabase=${at("index")}\nnew_certs_dir=${folder}\nrand_serial=yes\ndefault_md=sha256\npolicy=any\nunique_subject=no\n[any]\ncommonName=optional\n`,
  );
  writeFileSync(at("index"), "");
  openssl("req", "-x509", ...ec, "-subj", `/CN=${name}`, "-days", "36500", "-keyout", "ca.key", "-out", "ca.pem");
  const sign = (requestFile: string, uri: string, days: number): X509Certificate => {
    const usage = uri.startsWith("pallet://operator/") ? "clientAuth" : "serverAuth,clientAuth";
    writeFileSync(
      at("extensions"),
      `subjectAltName=URI:${uri}\nextendedKeyUsage=${usage}\nbasicConstraints=CA:FALSE\n`,
    );
    const end = new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\..*/g, "");
    openssl(
      ...["ca", "-batch", "-config", "ca.cnf", "-in", requestFile, "-cert", "ca.pem", "-keyfile", "ca.key", "-notext"],
      ...["-subj", "/CN=leaf", "-extfile", "extensions", "-startdate", "19700101000000Z", "-enddate", `${end}Z`],
      ...["-out", "leaf.pem"],
    );
    return new X509Certificate(readFileSync(at("leaf.pem")));
  };
  return {
    certificate: new X509Certificate(readFileSync(at("ca.pem"))),
    issue(uri, { days } = { days: 1 }) {
      openssl("req", "-new", ...ec, "-subj", "/", "-keyout", "leaf.key", "-out", "leaf.csr");
      return { key: createPrivateKey(readFileSync(at("leaf.key"))), certificate: sign("leaf.csr", uri, days) };
    },
    sign(request, uri, { days } = { days: 1 }) {
      writeFileSync(at("request.der"), request);
      openssl("req", "-inform", "DER", "-in", "request.der", "-out", "request.csr", "-verify");
      return sign("request.csr", uri, days);
    },
  };
}

/** Key, certificate and what is behind it, as node:tls takes them. */
export function pemOf({ key, certificate }: Leaf, ...chain: readonly X509Certificate[]) {
  return {
    key: String(key.export({ type: "pkcs8", format: "pem" })),
    cert: [certificate, ...chain].map(String).join(""),
  };
}
