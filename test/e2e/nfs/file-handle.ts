// Prints the NFS file handle of an exported folder: file-handle.ts ADDRESS PATH; or whether one that a client has still
// holds: file-handle.ts ADDRESS PATH HANDLE. The status is that of GETATTR (RFC 1813, nfsstat3): 0 is well, 70 is
// stale.
import process from "node:process";
import { decodeInteger, encodeInteger, encodeText } from "../../../controller/network/onc-rpc/codec.ts";
import { callRpc } from "../../../controller/network/onc-rpc/rpc-client.ts";

const [address = "", path = "", given] = process.argv.slice(2);
const signal = AbortSignal.timeout(10_000);
if (given === undefined) {
  const mount = { program: 100_005, version: 3, procedure: 1, port: 20_048 };
  const answer = await callRpc({ address, ...mount, parameters: encodeText(path) }, signal);
  const bytes = answer.subarray(8, 8 + decodeInteger(answer, 4));
  process.stdout.write(Buffer.from(bytes).toString("hex"));
} else {
  const bytes = Buffer.from(given, "hex");
  const padding = Buffer.alloc((4 - (bytes.length % 4)) % 4);
  const parameters = Buffer.concat([encodeInteger(bytes.length), bytes, padding]);
  const answer = await callRpc({ address, program: 100_003, version: 3, procedure: 1, port: 2049, parameters }, signal);
  process.stdout.write(String(decodeInteger(answer, 0)));
}
