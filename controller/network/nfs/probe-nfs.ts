import { Failure } from "../../../proto/failure.ts";
import { decodeInteger, encodeInteger, encodeText } from "../onc-rpc/codec.ts";
import { callRpc } from "../onc-rpc/rpc-client.ts";

/** Program numbers and TCP ports of RFC 1833, RFC 1813 and its appendix I. */
const portmapper = { program: 100_000, version: 2, port: 111 };
const mount = { program: 100_005, version: 3 };
const nfs = { program: 100_003, version: 3 };
const tcp = 6;
const procedures = { null: 0, getPort: 3, mount: 1, unmount: 3 };

/** mountstat3 of RFC 1813, appendix I, as far as a probe meets it. */
const mountStates: Readonly<Record<number, string>> = {
  1: "only root may mount it",
  2: "there is no such export",
  5: "an I/O error",
  13: "this machine's own address may not mount it",
  20: "it is not a folder",
  63: "its path is too long",
  10004: "mounting is not supported",
};

/** What a node needs of an NFS server, in the order in which it asks. */
export interface NfsProbe {
  /** IPv4 address under which the nodes reach the server. */
  readonly address: string;
  /** The exported folder. */
  readonly path: string;
  /** The remedy if nothing answers, as the end of a sentence. */
  readonly remedy: string;
  readonly signal: AbortSignal;
}

/** Timeout of one call, in milliseconds. */
const callTimeoutMs = 3000;

/**
 * Asks an NFS server for everything that a node would ask before its root filesystem is there: portmapper, mountd, the
 * folder's file handle, nfsd; all by version 3. Throws Failure "unsupported" that names the first that does not answer.
 */
export async function probeNfs({ address, path, remedy, signal }: NfsProbe): Promise<void> {
  const ask = async (
    what: string,
    port: number,
    called: { readonly program: number; readonly version: number },
    procedure: number,
    parameters: Uint8Array = new Uint8Array(),
  ): Promise<Uint8Array> => {
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]);
      return await callRpc({ address, port, ...called, procedure, parameters }, limited);
    } catch (error) {
      signal.throwIfAborted();
      throw new Failure(
        "unsupported",
        `${what} does not answer at TCP ${address}:${port} (${reasonOf(error)}); ${remedy}`,
        {
          cause: error,
        },
      );
    }
  };
  const portOf = async (what: string, { program, version }: typeof nfs): Promise<number> => {
    const wanted = Uint8Array.from([program, version, tcp, 0].flatMap((each) => [...encodeInteger(each)]));
    const port = decodeInteger(await ask("the portmapper", portmapper.port, portmapper, procedures.getPort, wanted), 0);
    if (port > 0 && port <= 65_535) return port;
    throw new Failure("unsupported", `${what} is not registered with the portmapper at ${address}:111; ${remedy}`);
  };

  const mountPort = await portOf("the NFS mount service (mountd)", mount);
  const answer = await ask("the NFS mount service", mountPort, mount, procedures.mount, encodeText(path));
  const status = decodeInteger(answer, 0);
  if (status !== 0) {
    const why = mountStates[status] ?? `status ${status}`;
    throw new Failure("unsupported", `the NFS server at ${address} does not export ${path}: ${why}`);
  }
  await ask("the NFS mount service", mountPort, mount, procedures.unmount, encodeText(path));
  await ask("the NFS server", await portOf("the NFS server", nfs), nfs, procedures.null);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer in ${callTimeoutMs / 1000} s`;
  if (error.message.includes("ECONNREFUSED")) return "nothing listens there";
  return error.message;
}
