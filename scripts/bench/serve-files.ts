// A plain HTTP server for the other programs: the files of one folder, with ranges. Arguments: folder, address, port.
import { createServer } from "node:http";
import process from "node:process";
import send from "send";

const [folder = ".", address = "127.0.0.1", port = "0"] = process.argv.slice(2);
const server = createServer((request, response) => {
  send(request, request.url ?? "/", { root: folder, dotfiles: "deny", index: false, cacheControl: false })
    .on("error", (error: { status?: number }) => {
      response.statusCode = error.status ?? 500;
      response.end();
    })
    .pipe(response);
});
server.listen(Number(port), address, () => process.stdout.write("serving\n"));
