// Sends the DHCPDISCOVER of a boot ROM from port 68, where another server has given it an address already, and prints
// what the proxy answers as JSON. Run in the board's network namespace: node pxe-discover.ts MAC
import { createSocket } from "node:dgram";

const [mac = ""] = process.argv.slice(2);
const packet = Buffer.alloc(300);
// RFC 2131 section 2: request, Ethernet, six octets of address, transaction, "answer by broadcast".
packet.set([1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 0, 0, 0x80, 0]);
packet.set(Buffer.from(mac.replaceAll(":", ""), "hex"), 28);
const vendorClass = Buffer.from("PXEClient:Arch:00000:UNDI:002001");
packet.set(
  [
    ...[0x63, 0x82, 0x53, 0x63],
    ...[53, 1, 1],
    ...[60, vendorClass.length, ...vendorClass],
    ...[93, 2, 0, 0],
    ...[94, 3, 1, 2, 1],
    ...[55, 3, 43, 60, 66, 255],
  ],
  236,
);

const socket = createSocket({ type: "udp4", reuseAddr: true });
socket.on("message", (answer) => {
  const options: Record<number, string> = {};
  for (let at = 240; at < answer.length && answer[at] !== 255; at += 2 + (answer[at + 1] ?? 0)) {
    const length = answer[at + 1] ?? 0;
    options[answer[at] ?? 0] = answer.subarray(at + 2, at + 2 + length).toString("latin1");
  }
  const dotted = (from: number): string => [...answer.subarray(from, from + 4)].join(".");
  process.stdout.write(JSON.stringify({ yourAddress: dotted(16), nextServer: dotted(20), options }));
  socket.close();
});
socket.bind(68, () => {
  socket.setBroadcast(true);
  socket.send(packet, 67, "255.255.255.255");
});
setTimeout(() => process.exit(1), 8000).unref();
