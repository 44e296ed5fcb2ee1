import { writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { openAuthority } from "../../../controller/identity/authority.ts";
import { openAuthorityFiles } from "../../../controller/identity/authority-files.ts";
import { serverNameOf } from "../../../proto/identity/authority-name.ts";
import { derToPem } from "../../../proto/identity/pem.ts";
import { systemClock } from "../../../proto/time/clock.ts";
import { checkout } from "../../../test/programs/checkout.ts";
import { type Place, startProgram } from "./started-program.ts";

/** A server of the image's forms for the other programs. */
export interface FileServer {
  /** "http://ADDRESS:PORT" or "https://NAME:PORT". */
  readonly base: string;
  /** What curl has to be told to reach it, and to believe it. */
  readonly curlOptions: readonly string[];
  stop(): Promise<void>;
}

const server = path.join(checkout, "scripts/bench/serve-files.ts");
const [plainPort, securePort] = [8080, 8443];

/** Serves a folder by plain HTTP. */
export async function serveFiles(place: Place, folder: string, address: string): Promise<FileServer> {
  const command = [process.execPath, server, folder, address, String(plainPort)];
  const { stop } = await startProgram("file server", place, command, /^serving$/m);
  return { base: `http://${address}:${plainPort}`, curlOptions: [], stop };
}

/** Serves a folder by HTTPS, TLS 1.3, with a certificate of the kind that controllers have; its files go to `own`. */
export async function serveFilesSecurely(
  place: Place,
  folder: string,
  address: string,
  own: string,
): Promise<FileServer> {
  const authority = await openAuthority(await openAuthorityFiles(path.join(own, "file-server")), {
    clock: systemClock,
  });
  const { certificate, fingerprint } = authority.current();
  const { key, cert } = authority.leafFor(undefined);
  const [identityFile, authorityFile] = [path.join(own, "file-server.pem"), path.join(own, "file-server-ca.pem")];
  await writeFile(identityFile, key + cert, { mode: 0o600 });
  await writeFile(authorityFile, derToPem(certificate.raw, "CERTIFICATE"));
  const command = [process.execPath, server, folder, address, String(securePort), identityFile];
  const { stop } = await startProgram("file server by TLS", place, command, /^serving$/m);
  const name = serverNameOf(fingerprint);
  return {
    base: `https://${name}:${securePort}`,
    curlOptions: ["--tlsv1.3", "--cacert", authorityFile, "--resolve", `${name}:${securePort}:${address}`],
    stop,
  };
}
