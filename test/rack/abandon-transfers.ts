// A board that gets its boot config and then loses its network, or its power, in the middle of its kernel, again and
// again: some TFTP clients (RFC 1350) that vanish after the first block that they have acknowledged.
//
//   node abandon-transfers.ts '{"server": "IPV4", "config": "PATH", "kernel": "PATH", "times": 3}'
import { createSocket } from "node:dgram";
import process from "node:process";
import { tftpGet } from "./machine/tftp-client.ts";

const { server, config, kernel, times } = JSON.parse(process.argv[2] ?? "") as {
  readonly server: string;
  readonly config: string;
  readonly kernel: string;
  readonly times: number;
};
const acknowledgeFirst = Buffer.from([0, 4, 0, 1]);

await tftpGet({ address: server, port: 69, path: config });
await Promise.all(Array.from({ length: times }, () => abandon(kernel)));

function abandon(path: string): Promise<void> {
  const socket = createSocket("udp4");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let blocks = 0;
  socket.once("error", reject);
  socket.on("message", (_, { port, address }) => {
    blocks++;
    if (blocks === 1) socket.send(acknowledgeFirst, port, address);
    else socket.close(resolve);
  });
  socket.send(Buffer.from(`\0\x01${path}\0octet\0`, "latin1"), 69, server);
  return promise;
}
