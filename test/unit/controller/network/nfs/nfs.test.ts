import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NfsConfig } from "../../../../../controller/network/network-config.ts";
import { explainGaneshaEnd } from "../../../../../controller/network/nfs/explain-ganesha-end.ts";
import { openNfsService } from "../../../../../controller/network/nfs/nfs-service.ts";
import { type NfsExport, renderExports } from "../../../../../controller/network/nfs/render-exports.ts";
import { renderGanesha } from "../../../../../controller/network/nfs/render-ganesha.ts";
import { assertGolden } from "../../../../golden.ts";
import { createManualClock } from "../../../proto/time/manual-clock.ts";

const nfsExport: NfsExport = {
  path: "/srv/pallet/root",
  clients: [
    { base: 0x0a4d0000, prefixLength: 24 },
    { base: 0x0a4d0001, prefixLength: 32 },
  ],
};
const addresses = [{ interface: "eth0", address: "10.77.0.1", network: { base: 0x0a4d0000, prefixLength: 24 } }];
const quiet = { debug: () => undefined, info: () => undefined, error: () => undefined };
const clock = createManualClock();

describe("exports", () => {
  it("are read-only, to the nodes' network, for the kernel", () => {
    assertGolden("network/pallet.exports", renderExports(nfsExport));
  });

  it("are read-only, to the nodes' network, for nfs-ganesha", () => {
    assertGolden(
      "network/ganesha.conf",
      renderGanesha(nfsExport, nfsExport.path, "/var/lib/pallet/nfs/ganesha/recovery"),
    );
  });

  it("of nfs-ganesha are of the folder itself, under the path that a link to it has", () => {
    const rendered = renderGanesha(nfsExport, "/data/root", "/state");
    assert.match(rendered, /^ {2}Path = \/data\/root;\n {2}Pseudo = \/srv\/pallet\/root;$/m);
  });

  it("refuse paths that need quoting, and an export to nobody", () => {
    for (const path of ["/a b", "/a\n/etc *(rw)", '/a"', "/a;}", "relative", ""]) {
      assert.throws(() => renderExports({ ...nfsExport, path }), { reason: "invalid" }, path);
      assert.throws(() => renderGanesha({ ...nfsExport, path }, "/root", "/state"), { reason: "invalid" }, path);
      assert.throws(() => renderGanesha(nfsExport, path, "/state"), { reason: "invalid" }, path);
      assert.throws(() => renderGanesha(nfsExport, "/root", path), { reason: "invalid" }, path);
    }
    assert.throws(() => renderExports({ ...nfsExport, clients: [] }), /no client may mount/);
  });
});

describe("the NFS service", () => {
  async function open(nfs: NfsConfig, advertise = "10.77.0.1", probeError?: Error) {
    const done: unknown[] = [];
    const server = (name: string) => async (options: { nfsExport: NfsExport; directory: string }) => {
      done.push([name, options.nfsExport, options.directory]);
      return { remedy: `mend ${name}`, close: async () => void done.push("closed") };
    };
    const opened = openNfsService({
      config: { nfs, advertise },
      directory: "/state/nfs",
      addresses,
      servers: { kernel: server("kernel"), ganesha: server("ganesha") },
      probe: async ({ address, path, remedy }) => {
        done.push([address, path, remedy]);
        if (probeError !== undefined) throw probeError;
      },
      clock,
      log: quiet,
    });
    return { done, opened };
  }

  it("exports to the network of the advertised address and asks whether a node could mount it", async () => {
    const { done, opened } = await open({ mode: "kernel", rootfs: "/srv/pallet/root" });
    await opened;
    assert.deepEqual(done, [
      ["kernel", nfsExport, "/state/nfs/kernel"],
      ["10.77.0.1", "/srv/pallet/root", "mend kernel"],
    ]);
  });

  it("exports to the clients that are said", async () => {
    const { done, opened } = await open({ mode: "ganesha", rootfs: "/r", clients: "10.0.0.0/8" }, "192.0.2.1");
    await opened;
    const clients = [
      { base: 0x0a000000, prefixLength: 8 },
      { base: 0xc0000201, prefixLength: 32 },
    ];
    assert.deepEqual(done[0], ["ganesha", { path: "/r", clients }, "/state/nfs/ganesha"]);
  });

  it("closes the server that does not answer", async () => {
    const { done, opened } = await open({ mode: "ganesha", rootfs: "/r" }, "10.77.0.1", new Error("silent"));
    await assert.rejects(opened, /silent/);
    assert.equal(done.at(-1), "closed");
  });

  it("asks for the clients where the interfaces do not tell", async () => {
    const { opened } = await open({ mode: "ganesha", rootfs: "/r" }, "192.0.2.1");
    await assert.rejects(opened, /set nfs\.clients.*eth0 10\.77\.0\.1 in 10\.77\.0\.0\/24/);
  });
});

describe("why nfs-ganesha ended", () => {
  const said = (text: string): string => `23/11/2026 01:14:44 : epoch 6b : vm : nfs-ganesha-7851[main] ${text}`;
  for (const [text, expected] of [
    ["__Register_program :DISP :MAJ :Cannot register NFS V3 on TCP", /cannot register with the portmapper/],
    ["Bind_sockets_V6 :DISP :WARN :Cannot bind NFS tcp6 socket, error 98 (Address already in use)", /2049 and 20048/],
    ["load_fsal :NFS STARTUP :CRIT :Could not dlopen module:/usr/lib/ganesha/libfsalvfs.so", /nfs-ganesha-vfs/],
    ["config_errs_to_log :CONFIG :CRIT :Config File (/x:8): bad", /Config File \(\/x:8\): bad/],
    ["main :NFS STARTUP :CRIT :Something", /Something/],
  ] as const) {
    it(`is said for "${text}"`, () => {
      const noise = said("gsh_dbus_pkginit :DBUS :CRIT :dbus_bus_get failed");
      assert.match(
        explainGaneshaEnd([noise, said(text), said("main :FATAL :Fatal errors.  Server exiting...")]),
        expected,
      );
    });
  }
});
