import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { authorityIdOf, fingerprintOf } from "../../proto/identity/authority-name.ts";
import { derToPem, pemToDer } from "../../proto/identity/pem.ts";
import { flush } from "../../proto/linux/flush.ts";

/** An authority with its key. */
export interface KeptAuthority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** Everything that lies in the folder. */
export interface IdentityFiles {
  readonly current?: KeptAuthority;
  readonly former: readonly KeptAuthority[];
  /** Key of the proofs in tokens; 32 octets. */
  readonly tokenKey?: Uint8Array;
}

/** The authorities and the token key in a folder; nobody but its owner may read them. */
export interface AuthorityFiles {
  /** Rejects with a Failure that names the file, and says nothing of what is in it. */
  read(): Promise<IdentityFiles>;
  saveCurrent(authority: KeptAuthority): Promise<void>;
  saveFormer(authority: KeptAuthority): Promise<void>;
  removeFormer(id: string): Promise<void>;
  saveTokenKey(key: Uint8Array): Promise<void>;
}

/** The id by which an authority is known, and its file named. */
export function idOf({ certificate }: Pick<KeptAuthority, "certificate">): string {
  return authorityIdOf(fingerprintOf(certificate.raw));
}

/** Keeps authorities in a folder (0700, files 0600), which is made if it is not there. Every file is written whole. */
export async function openAuthorityFiles(folder: string): Promise<AuthorityFiles> {
  const formerFolder = join(folder, "former");
  const [currentFile, tokenFile] = [join(folder, "authority.pem"), join(folder, "token.key")];
  const formerFile = (id: string): string => join(formerFolder, `${id}.pem`);
  for (const each of [folder, formerFolder]) {
    await mkdir(each, { recursive: true, mode: 0o700 });
    // It may have been made, or copied back, with other rights.
    await chmod(each, 0o700);
  }
  return {
    async read() {
      const current = await readAuthority(currentFile);
      const names = (await readdir(formerFolder)).filter((name) => name.endsWith(".pem")).toSorted();
      const read = await Promise.all(names.map((name) => readAuthority(join(formerFolder, name))));
      const former = read.filter((each) => each !== undefined);
      const tokenKey = await readTokenKey(tokenFile);
      return {
        ...(current && { current }),
        // A rotation that was interrupted leaves the current one in both places.
        former: former.filter((each) => current === undefined || idOf(each) !== idOf(current)),
        ...(tokenKey && { tokenKey }),
      };
    },
    saveCurrent: (authority) => replaceFile(folder, currentFile, renderAuthority(authority)),
    saveFormer: (authority) => replaceFile(formerFolder, formerFile(idOf(authority)), renderAuthority(authority)),
    async removeFormer(id) {
      await rm(formerFile(id), { force: true });
      await flush(formerFolder);
    },
    saveTokenKey: (key) => replaceFile(folder, tokenFile, `${Buffer.from(key).toString("base64url")}\n`),
  };
}

function renderAuthority({ certificate, key }: KeptAuthority): string {
  return (
    derToPem(key.export({ type: "pkcs8", format: "der" }), "PRIVATE KEY") + derToPem(certificate.raw, "CERTIFICATE")
  );
}

async function readAuthority(file: string): Promise<KeptAuthority | undefined> {
  const text = await readPrivateFile(file);
  if (text === undefined) return undefined;
  try {
    const [certificateDer] = pemToDer(text, "CERTIFICATE");
    const [keyDer] = pemToDer(text, "PRIVATE KEY");
    if (certificateDer === undefined || keyDer === undefined) throw damaged(file);
    const certificate = new X509Certificate(certificateDer);
    const key = createPrivateKey({ key: Buffer.from(keyDer), type: "pkcs8", format: "der" });
    if (!certificate.ca || !createPublicKey(key).equals(certificate.publicKey)) throw damaged(file);
    return { certificate, key };
  } catch {
    // Whatever OpenSSL says of a key does not travel further.
    throw damaged(file);
  }
}

async function readTokenKey(file: string): Promise<Uint8Array | undefined> {
  const text = await readPrivateFile(file);
  if (text === undefined) return undefined;
  const key = Buffer.from(text.trim(), "base64url");
  if (key.length !== 32) throw damaged(file);
  return key;
}

async function readPrivateFile(file: string): Promise<string | undefined> {
  try {
    await chmod(file, 0o600);
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function damaged(file: string): Failure {
  return new Failure(
    "invalid",
    `${file} is damaged: put it back from a backup; without one, move it away, and the controller makes a new one ` +
      "(nodes then learn the new authority when they next boot from the network; operators have to be added again)",
  );
}

/** So that a power cut leaves the old file or the new one. */
async function replaceFile(folder: string, file: string, text: string): Promise<void> {
  const unfinished = `${file}.new`;
  await rm(unfinished, { force: true });
  const handle = await open(unfinished, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
  await flush(folder);
}
