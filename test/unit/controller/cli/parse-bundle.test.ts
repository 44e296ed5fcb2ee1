import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseBundle } from "../../../../controller/cli/connection/parse-bundle.ts";
import { serverNameOf } from "../../../../proto/identity/authority-name.ts";
import { derToPem } from "../../../../proto/identity/pem.ts";
import { anAuthority, credentialOf } from "../identity/an-authority.ts";

describe("an operator's bundle", () => {
  it("asks for the certificate of the authority that signed it, also after a rotation", async () => {
    const authority = await anAuthority();
    const { fingerprint, certificate: former } = authority.current();
    const { key, cert } = credentialOf(authority, { kind: "operator", name: "ann" });
    const own = cert.slice(0, cert.indexOf("-----BEGIN", 1));
    await authority.rotate();
    const [now, before] = [authority.current().certificate, former].map(({ raw }) => derToPem(raw, "CERTIFICATE"));
    const bundle = parseBundle(`# of ann\n${key}${own}${now}${before}`, "ann.pem");
    assert.equal(bundle.serverName, serverNameOf(fingerprint));
    assert.deepEqual([bundle.cert, bundle.ca], [own, [now, before]]);
    assert.equal(`${bundle.key}\n`, key);
  });

  it("is refused where something is missing, without a word of what is in it", async () => {
    const authority = await anAuthority();
    const { key, cert } = credentialOf(authority, { kind: "operator", name: "ann" });
    for (const text of ["", key, cert, "nonsense", key + cert.slice(0, cert.indexOf("-----BEGIN", 1))])
      assert.throws(
        () => parseBundle(text, "ann.pem"),
        /^Failure: ann\.pem is no operator's bundle, as "controller operator add" makes it$/,
      );
  });

  it("is refused where it is damaged, or not of one piece: TLS would name neither file nor remedy", async () => {
    const authority = await anAuthority();
    const ann = credentialOf(authority, { kind: "operator", name: "ann" });
    const bob = credentialOf(authority, { kind: "operator", name: "bob" });
    const damaged = /(-----BEGIN [A-Z ]+-----\n).{8}/;
    for (const text of [
      ann.key + bob.cert,
      ann.key + ann.cert.replace(damaged, "$1AAAAAAAA"),
      ann.key.replace(damaged, "$1AAAAAAAA") + ann.cert,
    ])
      assert.throws(() => parseBundle(text, "ann.pem"), /^Failure: the bundle ann\.pem is damaged: get it again/);
  });
});
