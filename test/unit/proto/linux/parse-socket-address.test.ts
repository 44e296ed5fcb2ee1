// The kernel's tables of sockets, read by the controller that looks for ports that others hold.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { selectPortProblems } from "../../../../controller/check/select-port-problems.ts";
import { parseSockets } from "../../../../controller/network/parse-sockets.ts";
import { parseSocketAddress } from "../../../../proto/linux/parse-socket-address.ts";

const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const row = (local: string, remote: string, state: string): string =>
  `${header}   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  1000        0 4711 1\n`;

describe("an address of a socket", () => {
  for (const [text, address, port] of [
    ["0100007F:1E14", "127.0.0.1", 7700],
    ["0B004D0A:0045", "10.77.0.11", 69],
    ["00000000:0016", "0.0.0.0", 22],
    [`${"0".repeat(32)}:0016`, "::", 22],
    ["B80D0120000000000000000001000000:1E14", "2001:db8::1", 7700],
    ["0000000000000000FFFF00000100000A:1E14", "10.0.0.1", 7700],
  ] as const) {
    it(`${text} is ${address}, port ${port}, to who reads it`, () => {
      assert.deepEqual(parseSocketAddress(text), { address, port });
      assert.deepEqual(parseSockets(row(text, "00000000:0000", "0A"), "TCP"), [
        { protocol: "TCP", address, port, inode: 4711 },
      ]);
    });
  }

  for (const text of ["", "0100007F", "0100007F:", "0100007:1E14", "0100007F0100007F:1E14", "x100007F:1E14"]) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseSocketAddress(text), undefined));
  }

  it("of IPv6 is in the way of the controller however either is written", () => {
    const held = parseSockets(row("B80D0120000000000000000001000000:1E14", "00000000:0000", "0A"), "TCP");
    const config = {
      listen: "2001:0db8:0::1",
      grpcPort: 7700,
      httpPort: 0,
      tftpPort: 0,
      dhcp: { mode: "off" },
      nfs: { mode: "external" },
    } as unknown as Parameters<typeof selectPortProblems>[0];
    assert.equal(selectPortProblems(config, undefined, held).length, 1);
  });
});
