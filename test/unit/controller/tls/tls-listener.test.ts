import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as connectPlain, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { type HandshakeProblem, listenTls, type TlsListenerOptions } from "../../../../controller/tls/tls-listener.ts";
import { until } from "../../../until.ts";

const folder = mkdtempSync(path.join(tmpdir(), "pallet-tls-"));
after(() => rmSync(folder, { recursive: true }));

/** A certificate that signed itself. */
function makeCertificate(name: string): { readonly key: string; readonly cert: string } {
  const [key, cert] = [path.join(folder, `${name}.key`), path.join(folder, `${name}.pem`)];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
  execFileSync("openssl", ["req", "-x509", ...curve, "-subj", `/CN=${name}`, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

const current = makeCertificate("current");
const former = makeCertificate("former");
const caller = makeCertificate("caller");

/** Whether it is secured in the end, or closed. */
async function securedAt(socket: TLSSocket): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("secureConnect", () => resolve(true)).once("close", () => resolve(false));
  return promise;
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once("close", () => resolve()));

async function listenForTest(
  t: { after(end: () => void): void },
  options: Partial<TlsListenerOptions> = {},
): Promise<{
  readonly connect: (options?: ConnectionOptions) => TLSSocket;
  readonly connectPlain: (localAddress?: string) => Socket;
  readonly problems: HandshakeProblem[];
  readonly secured: TLSSocket[];
  readonly renew: () => void;
}> {
  const problems: HandshakeProblem[] = [];
  const secured: TLSSocket[] = [];
  const listener = await listenTls({
    address: "127.0.0.1",
    port: 0,
    protocol: "h2",
    identity: { leafFor: (name) => (name === "former.pallet.internal" ? former : current) },
    secured: (socket) => void secured.push(socket),
    onProblem: (problem) => void problems.push(problem),
    ...options,
  });
  const opened: Socket[] = [];
  t.after(() => {
    listener.close();
    for (const socket of [...opened, ...secured]) socket.destroy();
  });
  const keep = <Kind extends Socket>(socket: Kind): Kind => {
    socket.on("error", () => undefined);
    opened.push(socket);
    return socket;
  };
  return {
    connect: (more) =>
      keep(
        connect({
          ...{ host: "127.0.0.1", port: listener.port, rejectUnauthorized: false, servername: "x.pallet.internal" },
          ...{ ALPNProtocols: ["h2"], ...more },
        }),
      ),
    connectPlain: (localAddress) =>
      keep(
        connectPlain({ port: listener.port, host: "127.0.0.1", ...(localAddress !== undefined && { localAddress }) }),
      ),
    problems,
    secured,
    renew: listener.renew,
  };
}

test("the certificate is the one that the client's server name asks for, else the current one", async (t) => {
  const listener = await listenForTest(t);
  for (const [servername, shown] of [
    ["former.pallet.internal", "former"],
    ["other.pallet.internal", "current"],
    [undefined, "current"],
  ] as const) {
    const socket = listener.connect({ servername });
    await once(socket, "secureConnect");
    assert.equal(socket.getPeerCertificate().subject.CN, shown);
    assert.equal(socket.getProtocol(), "TLSv1.3");
    assert.equal(socket.alpnProtocol, "h2");
  }
});

test("a client's certificate is known of it, whoever signed it, and a client without one is let in, too", async (t) => {
  const listener = await listenForTest(t);
  await once(listener.connect(caller), "secureConnect");
  await until(() => listener.secured.length === 1, "the listener does not give it");
  assert.equal(listener.secured[0]?.getPeerX509Certificate()?.subject, "CN=caller");
  await once(listener.connect(), "secureConnect");
  await until(() => listener.secured.length === 2, "the listener does not give it");
  assert.equal(listener.secured[1]?.getPeerX509Certificate(), undefined);
});

test("the cipher is the first of the client's that both have", async (t) => {
  const listener = await listenForTest(t);
  const [chacha, aes] = ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"];
  for (const ciphers of [
    [chacha, aes],
    [aes, chacha],
  ]) {
    const socket = listener.connect({ ciphers: ciphers.join(":") });
    await once(socket, "secureConnect");
    assert.equal(socket.getCipher().name, ciphers[0]);
  }
});

test("no session is resumed: each connection shows its certificate anew", async (t) => {
  const listener = await listenForTest(t);
  const first = listener.connect(caller);
  let session: Buffer | undefined;
  first.on("session", (given: Buffer) => {
    session = given;
  });
  await once(first, "secureConnect");
  await until(() => listener.secured.length === 1, "the listener does not give it");
  listener.secured[0]?.write("x");
  await once(first, "data");
  const second = listener.connect({ ...caller, session });
  await once(second, "secureConnect");
  assert.equal(second.isSessionReused(), false);
});

test("TLS 1.2 and another protocol than the one that is spoken here are refused in the handshake", async (t) => {
  const listener = await listenForTest(t);
  for (const options of [{ maxVersion: "TLSv1.2" }, { ALPNProtocols: ["http/1.1"] }] as const) {
    const socket = listener.connect(options);
    await closed(socket);
  }
  assert.deepEqual([...new Set(listener.problems)], ["failed"]);
  assert.deepEqual(listener.secured, []);
});

test("a connection that begins no handshake goes to the plain door with its first byte, or is closed", async (t) => {
  const words: string[] = [];
  const open = await listenForTest(t, {
    plain: (socket) => void socket.on("data", (bytes) => words.push(String(bytes))).resume(),
  });
  open.connectPlain().write("PRI * HTTP/2.0");
  await until(() => words.join("") === "PRI * HTTP/2.0", "the plain door does not get it");
  const shut = await listenForTest(t);
  const socket = shut.connectPlain();
  socket.write("PRI * HTTP/2.0");
  await closed(socket);
  assert.deepEqual([open.problems, shut.problems], [["plain"], ["plain"]]);
});

test("whoever says nothing, or stops in the middle of its handshake, is cut off in time", async (t) => {
  const listener = await listenForTest(t, { limits: { timeoutMs: 60 } });
  const [silent, halfway] = [listener.connectPlain(), listener.connectPlain()];
  halfway.write(Buffer.from([0x16, 3, 1]));
  await Promise.all([silent, halfway].map((socket) => closed(socket)));
  assert.deepEqual([...new Set(listener.problems)], ["timed-out"]);
});

test("an address has so many handshakes at one time, and those that are complete do not count", async (t) => {
  const listener = await listenForTest(t, { limits: { mostPerAddress: 2 } });
  for (let count = 1; count <= 4; count++) {
    await once(listener.connect(), "secureConnect");
    await until(() => listener.secured.length === count, "the listener does not give it");
  }
  const waiting = [listener.connectPlain(), listener.connectPlain()];
  await Promise.all(waiting.map((socket) => once(socket, "connect")));
  await closed(listener.connectPlain());
  assert.deepEqual(listener.problems, ["too-many"]);
  waiting[0]?.destroy();
  await until(() => securedAt(listener.connect()), "nobody is let in after one has gone");
});

test("strangers at many addresses who finish no handshake keep nobody out: the oldest makes room", async (t) => {
  const listener = await listenForTest(t, { limits: { most: 4 } });
  const strangers = Array.from({ length: 8 }, (_, index) => listener.connectPlain(`127.0.0.${index + 2}`));
  await Promise.all(strangers.slice(0, 4).map(closed));
  await once(listener.connect(), "secureConnect");
  await until(() => listener.secured.length === 1, "the listener does not give it");
  assert.ok(listener.problems.every((problem) => problem === "too-many"));
  assert.ok(listener.problems.length <= 5);
});

test("whoever connects after the identity was renewed sees the new one", async (t) => {
  let shown = current;
  const listener = await listenForTest(t, {
    identity: { leafFor: () => shown },
  });
  shown = former;
  listener.renew();
  const socket = listener.connect({ servername: undefined });
  await once(socket, "secureConnect");
  assert.equal(socket.getPeerCertificate().subject.CN, "former");
  const again = listener.connect({ ciphers: "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256" });
  await once(again, "secureConnect");
  assert.equal(again.getCipher().name, "TLS_CHACHA20_POLY1305_SHA256");
});

test("a connection that its server fails to serve is closed and told of, and the next one is served", async (t) => {
  let isBroken = true;
  const served: TLSSocket[] = [];
  const listener = await listenForTest(t, {
    secured(socket) {
      if (isBroken) throw new Error("a defect");
      served.push(socket);
    },
  });
  await closed(listener.connect());
  assert.deepEqual(listener.problems, ["unserved"]);
  isBroken = false;
  assert.equal(await securedAt(listener.connect()), true);
  await until(() => served.length === 1, "the next one is not served");
});

test("an address has so many connections at once and then so many a second, and another its own", async (t) => {
  const listener = await listenForTest(t, {
    limits: { ratePerAddress: { burst: 2, perSecond: 0.001 } },
    isPaced: () => true,
  });
  assert.equal(await securedAt(listener.connect()), true);
  assert.equal(await securedAt(listener.connect()), true);
  assert.equal(await securedAt(listener.connect()), false);
  const elsewhere: ConnectionOptions & { readonly localAddress: string } = { localAddress: "127.0.0.2" };
  assert.equal(await securedAt(listener.connect(elsewhere)), true);
  assert.deepEqual(listener.problems, ["too-many"]);
});
