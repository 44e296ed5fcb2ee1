import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ownerOfSocket } from "../../../../agent/door/parse-socket-table.ts";

// As Linux 6.1 writes them: a listener on 7710, a connection of user 65534, one of root, the server's ends of both,
// one whose client has closed (FIN_WAIT2, shown as root's and
// without inode), one in TIME_WAIT.
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1E1E 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 71001 1 0000000000000000 100 0 0 10 0
   1: 0100007F:C350 0100007F:1E1E 01 00000000:00000000 00:00000000 00000000 65534        0 71002 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:C351 0100007F:1E1E 01 00000000:00000000 00:00000000 00000000     0        0 71003 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:1E1E 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 71004 1 0000000000000000 20 4 30 10 -1
   4: 0100007F:C352 0100007F:1E1E 05 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1
   5: 0100007F:C353 0100007F:1E1E 06 00000000:00000000 03:00000A1C 00000000     0        0 0 3 0000000000000000
   6: 0100007F:C354 0100007F:1E1E 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1
   7: 0B004D0A:C355 0B004D0A:1E1E 01 00000000:00000000 00:00000000 00000000  1000        0 71005 1 0000000000000000 20 4 30 10 -1
`;
const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:C350 00000000000000000000000001000000:1E1E 01 00000000:00000000 00:00000000 00000000  1000        0 72001 1 0000000000000000 20 4 0 10 -1
   1: 0000000000000000FFFF00000100007F:C356 0000000000000000FFFF00000100007F:1E1E 01 00000000:00000000 00:00000000 00000000  1001        0 72002 1 0000000000000000 20 4 0 10 -1
   2: B80D0120000000000000000001000000:C357 B80D0120000000000000000002000000:1E1E 01 00000000:00000000 00:00000000 00000000  1002        0 72003 1 0000000000000000 20 4 0 10 -1
`;

describe("ownerOfSocket", () => {
  for (const [what, table, address, port, there, owner] of [
    ["another user's", tcp, "127.0.0.1", 0xc350, "127.0.0.1", 65_534],
    ["root's", tcp, "127.0.0.1", 0xc351, "127.0.0.1", 0],
    ["one at another address of this machine", tcp, "10.77.0.11", 0xc355, "10.77.0.11", 1000],
    ["one seen by a listener for both families", tcp, "::ffff:127.0.0.1", 0xc350, "::ffff:127.0.0.1", 65_534],
    ["one over IPv6", tcp6, "::1", 0xc350, "::1", 1000],
    ["one of a client that writes IPv4 as IPv6", tcp6, "127.0.0.1", 0xc356, "127.0.0.1", 1001],
    ["one between two IPv6 addresses", tcp6, "2001:db8::1", 0xc357, "2001:0db8:0::2", 1002],
    ["half closed by its client", tcp, "127.0.0.1", 0xc352, "127.0.0.1", undefined],
    ["in TIME_WAIT", tcp, "127.0.0.1", 0xc353, "127.0.0.1", undefined],
    ["without a process", tcp, "127.0.0.1", 0xc354, "127.0.0.1", undefined],
    ["of another port", tcp, "127.0.0.1", 0xc399, "127.0.0.1", undefined],
    ["to another address", tcp, "127.0.0.1", 0xc351, "127.0.0.2", undefined],
    ["in no table", "", "127.0.0.1", 0xc351, "127.0.0.1", undefined],
  ] as const) {
    it(`of a connection ${what}: ${owner ?? "unknown"}`, () => {
      assert.equal(ownerOfSocket(table, { address, port }, { address: there, port: 7710 }), owner);
    });
  }
});
