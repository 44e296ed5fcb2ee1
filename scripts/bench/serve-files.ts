// An HTTP server for the other programs: the files of one folder, with ranges. Arguments: folder, address, port and, for
// TLS 1.3, a PEM file with a key and its certificates.
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import process from "node:process";
import send from "send";

const [folder = ".", address = "127.0.0.1", port = "0", identityFile] = process.argv.slice(2);
const answer: RequestListener = (request, response) => {
  send(request, request.url ?? "/", { root: folder, dotfiles: "deny", index: false, cacheControl: false })
    .on("error", (error: { status?: number }) => {
      response.statusCode = error.status ?? 500;
      response.end();
    })
    .pipe(response);
};

function createSecureServer(pem: string) {
  // The client's cipher, as the controller has it: it knows what is cheap for its processor.
  const options = { key: pem, cert: pem, minVersion: "TLSv1.3", honorCipherOrder: false } as const;
  return createTlsServer(options, answer);
}

const server =
  identityFile === undefined ? createServer(answer) : createSecureServer(readFileSync(identityFile, "utf8"));
server.listen(Number(port), address, () => process.stdout.write("serving\n"));
