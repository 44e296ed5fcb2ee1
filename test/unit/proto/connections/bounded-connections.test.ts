import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect as connectPlain, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { createBoundedConnections } from "../../../../proto/connections/bounded-connections.ts";
import { until } from "../../../until.ts";

const folder = mkdtempSync(path.join(tmpdir(), "pallet-bounded-"));
after(() => rmSync(folder, { recursive: true }));

function makeCertificate(): { readonly key: Buffer; readonly cert: Buffer } {
  const [key, cert] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=x"];
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

const kinds: readonly (readonly [
  name: string,
  listen: (secured: (socket: Socket) => void) => Server,
  connect: (port: number) => Socket,
])[] = [
  ["TCP", (connected) => createServer(connected), (port) => connectPlain(port, "127.0.0.1")],
  [
    "TLS",
    (connected) => {
      const bare = createServer((socket) => void tls.emit("connection", socket));
      const tls = createTlsServer(makeCertificate(), connected);
      return bare;
    },
    (port) => connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }),
  ],
];

describe("connections over a limit", () => {
  for (const [name, listen, connect] of kinds)
    for (const tellsWork of [false, true])
      it(`are closed, and nothing else happens: ${name}${tellsWork ? ", all of them at work" : ""}`, async (test) => {
        const told: object[] = [];
        const connections = createBoundedConnections({
          limits: { all: 10, perAddress: 3 },
          tellsWork,
          log: { warn: (details) => void told.push(details) },
        });
        const admitted: Socket[] = [];
        const server = listen((socket) => {
          socket.on("error", () => socket.destroy());
          if (!connections.admit(socket)) return;
          connections.begin(socket);
          admitted.push(socket);
        });
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        const { port } = server.address() as AddressInfo;
        const opened = Array.from({ length: 6 }, () => connect(port));
        test.after(() => {
          server.close();
          for (const socket of [...opened, ...admitted]) socket.destroy();
        });
        const closed = opened.map((socket) => {
          socket.on("error", () => undefined).resume();
          return new Promise<void>((resolve) => void socket.once("close", () => resolve()));
        });
        let count = 0;
        for (const each of closed) void each.then(() => (count += 1));
        await until(
          () => count === 3,
          () => `${count} are closed`,
        );
        assert.equal(admitted.length, 3);
        assert.deepEqual(told, [{ from: "127.0.0.1", refused: 1, closed: 0 }]);
        admitted[0]?.destroy();
        await until(() => count === 4, "the one that was ended is not closed");
        const next = connect(port).on("error", () => undefined);
        opened.push(next);
        await until(() => admitted.length === 4, "there is no room for the next one");
      });
});
