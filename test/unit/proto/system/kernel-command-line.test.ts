import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseKernelCommandLine } from "../../../../proto/system/kernel-command-line.ts";

const table: { title: string; text: string; words: Record<string, string> }[] = [
  {
    title: "what a netbooted Pi has",
    text: "coherent_pool=1M 8250.nr_uarts=1 console=ttyS0,115200 root=/dev/nfs nfsroot=10.77.0.1:/srv/rootfs,vers=3 ro ip=dhcp pallet.controller=10.77.0.1:7700 pallet.node=b8:27:eb:00:00:01\n",
    words: {
      coherent_pool: "1M",
      "8250.nr_uarts": "1",
      console: "ttyS0,115200",
      root: "/dev/nfs",
      nfsroot: "10.77.0.1:/srv/rootfs,vers=3",
      ro: "",
      ip: "dhcp",
      "pallet.controller": "10.77.0.1:7700",
      "pallet.node": "b8:27:eb:00:00:01",
    },
  },
  { title: "nothing", text: "", words: {} },
  { title: "only space", text: " \t\n", words: {} },
  { title: "the last of equal words", text: "a=1 b=2 a=3", words: { a: "3", b: "2" } },
  { title: "a value with equals signs", text: "root=PARTUUID=1234-02", words: { root: "PARTUUID=1234-02" } },
  { title: "a quoted value", text: 'dyndbg="file a.c +p" quiet', words: { dyndbg: "file a.c +p", quiet: "" } },
  { title: "a quoted word", text: '"foo=bar baz" x', words: { foo: "bar baz", x: "" } },
  { title: "quotes within a value, which stay", text: 'a=b"c d"e', words: { a: 'b"c d"e' } },
  { title: "a quote that is never closed", text: 'a="b c', words: { a: "b c" } },
  { title: "an empty value", text: 'a= b=""', words: { a: "", b: "" } },
  { title: "no name", text: "=5", words: { "=5": "" } },
  { title: "what is meant for init, left out", text: "quiet -- pallet.controller=evil", words: { quiet: "" } },
];

describe("parseKernelCommandLine", () => {
  for (const { title, text, words } of table) {
    it(`reads ${title}`, () => {
      assert.deepEqual(Object.fromEntries(parseKernelCommandLine(text)), words);
    });
  }
});
