import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { createSecureContext } from "node:tls";
import type { FetchSettings } from "../../../../agent/fetch/fetch-range.ts";
import { createRangeFetcher } from "../../../../agent/fetch/fetch-range.ts";
import type { FetchTls } from "../../../../agent/fetch/http-connection.ts";
import { anAuthority, type Leaf, pemOf, type TestAuthority } from "../identity/an-authority.ts";
import { anImageServer } from "./an-image-server.ts";
import { impatient } from "./fetch-settings.ts";

const content = randomBytes(300_000);
const authority = anAuthority();
const controller = authority.issue("pallet://controller");
const node = authority.issue("pallet://node/b8-27-eb-00-00-01/netboot/boot");

/** Believes whom the authority signed, and accepts no other name. */
function tlsOf(believed: TestAuthority, own: Leaf | undefined, name = "pallet://controller"): FetchTls {
  return {
    secureContext: createSecureContext({ ca: String(believed.certificate), ...(own && pemOf(own)) }),
    servername: "x.pallet.internal",
    checkServerIdentity: (_, { subjectaltname }) =>
      subjectaltname === `URI:${name}` ? undefined : new Error(`it is ${subjectaltname}`),
  };
}

/** A server that gives nothing to those without a certificate. */
const serve = (test: TestContext) =>
  anImageServer(test, content, undefined, undefined, {
    ...pemOf(controller, authority.certificate),
    ca: String(authority.certificate),
    requestCert: true,
    minVersion: "TLSv1.3",
  });

async function fetchAll(url: string, settings: Partial<FetchSettings>, rangeBytes = content.length): Promise<Buffer> {
  const bytes = Buffer.alloc(content.length);
  const fetcher = createRangeFetcher({
    url,
    totalBytes: content.length,
    settings: { ...impatient, giveUpAfterMs: 200, ...settings },
  });
  try {
    for (let from = 0; from < content.length; from += rangeBytes)
      await fetcher.fetchInto(bytes.subarray(from, from + rangeBytes), from, new AbortController().signal);
  } finally {
    fetcher.close();
  }
  return bytes;
}

describe("a range fetcher by TLS", () => {
  it("fetches with its certificate, with one handshake for any number of ranges", async (test) => {
    const server = await serve(test);
    const bytes = await fetchAll(server.url, { tls: () => tlsOf(authority, node) }, 10_000);
    assert.ok(bytes.equals(content));
    assert.equal(server.seen.length, 30);
    assert.equal(server.handshakes(), 1);
  });

  it("asks nothing of a server that nobody believed has signed, or that is someone else", async (test) => {
    const server = await serve(test);
    for (const [tls, message] of [
      [tlsOf(anAuthority("Another"), node), /self-signed certificate|unable to verify/],
      [tlsOf(authority, node, "pallet://operator/eve"), /it is URI:pallet:\/\/controller/],
    ] as const) {
      await assert.rejects(fetchAll(server.url, { tls: () => tls }), { reason: "fetch-failed", message });
    }
    assert.equal(server.seen.length, 0);
  });

  it("is given nothing without a certificate", async (test) => {
    const server = await serve(test);
    await assert.rejects(fetchAll(server.url, { tls: () => tlsOf(authority, undefined) }), { reason: "fetch-failed" });
    assert.equal(server.seen.length, 0);
  });

  it("connects to nobody for a plain URL where those are not taken, or while it has no certificate", async (test) => {
    const listener = createServer(() => assert.fail("it connected")).listen(0, "127.0.0.1");
    await once(listener, "listening");
    test.after(() => listener.close());
    const { port } = listener.address() as AddressInfo;
    await assert.rejects(fetchAll(`http://127.0.0.1:${port}/x`, { takesPlain: false }), {
      reason: "fetch-failed",
      message: /plain HTTP.*--insecure/,
    });
    await assert.rejects(fetchAll(`https://127.0.0.1:${port}/x`, { tls: () => undefined }), {
      reason: "fetch-failed",
      message: /no certificate/,
    });
  });
});
