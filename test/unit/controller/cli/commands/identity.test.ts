import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { parseBundle } from "../../../../../controller/cli/connection/parse-bundle.ts";
import type { Authority } from "../../../../../controller/identity/authority.ts";
import { Failure } from "../../../../../proto/failure.ts";
import {
  type AddOperatorRequest,
  Operator,
  OperatorRole,
  type RetireAuthorityRequest,
} from "../../../../../proto/gen/pallet/v1/controller.ts";
import { identityOf } from "../../../../../proto/identity/identity.ts";
import { pemToDer } from "../../../../../proto/identity/pem.ts";
import { anAuthority } from "../../identity/an-authority.ts";
import { run } from "../a-console.ts";
import { type AController, answer, refusal, startController } from "../a-controller.ts";
import { now } from "../a-rollout.ts";

const day = 86_400_000;
const someOperators = [
  { name: "ada", role: OperatorRole.OPERATOR_ROLE_ADMIN, addedAt: -3, expiresAt: 362 },
  { name: "bob", role: OperatorRole.OPERATOR_ROLE_VIEWER, addedAt: -400, expiresAt: -35 },
  { name: "eve", role: OperatorRole.OPERATOR_ROLE_OPERATOR, addedAt: -9, expiresAt: 300, revokedAt: -1 },
].map(({ revokedAt, ...operator }) =>
  Operator.fromPartial({
    ...operator,
    addedAt: new Date(now + operator.addedAt * day),
    expiresAt: new Date(now + operator.expiresAt * day),
    ...(revokedAt !== undefined && { revokedAt: new Date(now + revokedAt * day) }),
    fingerprint: "f".repeat(43),
  }),
);

describe("who is let in", () => {
  let authority: Authority;
  let controller: AController;
  let folder: string;
  let asked: { add?: AddOperatorRequest; revoke?: string; retire?: RetireAuthorityRequest; rotated?: true };

  before(async () => {
    authority = await anAuthority();
    controller = await startController({
      addOperator: (call: { readonly request: AddOperatorRequest }, callback: (...args: unknown[]) => void) => {
        asked.add = call.request;
        const { name, csrDer, role } = call.request;
        if (name === "taken") {
          callback(refusal(status.ALREADY_EXISTS, new Failure("invalid", "there is an operator called taken already")));
          return;
        }
        const { certificate, expiresAt } = authority.issue(csrDer, { kind: "operator", name });
        const operator = Operator.fromPartial({ name, role, expiresAt: new Date(expiresAt) });
        const caCertificates = authority.certificates().map((each) => Buffer.from(each));
        callback(null, { operator, certificateDer: Buffer.from(certificate), caCertificates });
      },
      listOperators: answer(() => ({ operators: someOperators })),
      revokeOperator: answer(({ name }) => {
        asked.revoke = name;
        return { operator: someOperators[0] };
      }),
      getAuthorities: answer(() => ({
        authorities: authority.all().map((each, index) => ({
          ...{ id: each.id, fingerprint: each.fingerprint, certificateDer: each.certificate.raw, current: index === 0 },
          ...{ nodes: Array.from({ length: 10 }, (_, at) => `pi-${at}`), operators: ["ada"] },
        })),
      })),
      rotateAuthority: answer(() => {
        asked.rotated = true;
        const { id, fingerprint, certificate } = authority.current();
        return {
          authority: { id, fingerprint, certificateDer: certificate.raw, current: true, nodes: [], operators: [] },
        };
      }),
      retireAuthority: answer((request) => {
        asked.retire = request;
        return {};
      }),
    } as Parameters<typeof startController>[0]);
  });
  after(() => controller.close());
  beforeEach(() => {
    asked = {};
    folder = mkdtempSync(path.join(tmpdir(), "pallet-bundle-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const command = (...argv: string[]) => run(argv, { socket: controller.socket });

  it("by a bundle of key, certificate and authorities, which goes to stdout and holds together", async () => {
    const { code, stdout, stderr } = await command("operator", "add", "ada", "--role", "admin", "--days", "30");
    assert.equal(code, 0);
    assert.equal(asked.add?.role, OperatorRole.OPERATOR_ROLE_ADMIN);
    assert.equal(asked.add?.validFor?.seconds, 30n * 86_400n);
    const bundle = parseBundle(stdout, "stdout");
    const certificate = new X509Certificate(bundle.cert);
    assert.deepEqual(identityOf(certificate), { kind: "operator", name: "ada" });
    assert.ok(certificate.verify(authority.current().certificate.publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(bundle.key)));
    assert.equal(pemToDer(stdout, "CERTIFICATE").length, 2);
    assert.match(stderr, /controller --server HOST --bundle BUNDLE nodes/);
    assert.doesNotMatch(stderr, /BEGIN/);
  });

  it("by a file that only its owner may read, and then the key is nowhere else", async () => {
    const file = path.join(folder, "ada.pem");
    const { code, stdout, stderr } = await command("operator", "add", "ada", "--role", "viewer", "--output", file);
    assert.equal(code, 0);
    assert.equal(asked.add?.validFor, undefined);
    assert.match(stdout, /^added ada as viewer, until \d{4}-\d\d-\d\d\n$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const { key } = parseBundle(readFileSync(file, "utf8"), file);
    assert.ok(!`${stdout}${stderr}`.includes(key.split("\n")[1] ?? key));
  });

  it("as JSON, with the bundle or the name of the file", async () => {
    const printed = JSON.parse((await command("operator", "add", "ada", "--role", "viewer", "--json")).stdout);
    assert.equal(printed.operator.role, "viewer");
    assert.doesNotThrow(() => parseBundle(printed.bundle, "json"));
    const file = path.join(folder, "a");
    const filed = JSON.parse(
      (await command("operator", "add", "ada", "--role", "viewer", "-o", file, "--json")).stdout,
    );
    assert.equal(filed.file, file);
    assert.equal(filed.bundle, null);
  });

  it("never over a file that is there, and asks the controller for nothing then", async () => {
    const file = path.join(folder, "ada.pem");
    await command("operator", "add", "ada", "--role", "viewer", "--output", file);
    const before = readFileSync(file, "utf8");
    asked = {};
    const { code, stderr } = await command("operator", "add", "bob", "--role", "viewer", "--output", file);
    assert.equal(code, 1);
    assert.match(stderr, /there is such a file already/);
    assert.equal(asked.add, undefined);
    assert.equal(readFileSync(file, "utf8"), before);
  });

  it("leaves no file when the controller refuses", async () => {
    const file = path.join(folder, "taken.pem");
    const { code, stderr } = await command("operator", "add", "taken", "--role", "viewer", "--output", file);
    assert.equal(code, 1);
    assert.match(stderr, /there is an operator called taken already/);
    assert.ok(!existsSync(file));
  });

  for (const more of [
    [],
    ["--role", "root"],
    ["--role", "viewer", "--days", "0"],
    ["--role", "viewer", "--days", "x"],
  ]) {
    it(`is a matter of a role and days that there are: ${more.join(" ") || "none given"}`, async () => {
      assert.equal((await command("operator", "add", "ada", ...more)).code, 2);
      assert.equal(asked.add, undefined);
    });
  }

  it("is listed with until when, and who was revoked", async () => {
    const { stdout } = await command("operator", "list");
    const lines = stdout.split("\n").map((line) => line.trim().split(/ {2,}/).slice(0, 3).join("|"));
    assert.match(lines[1] ?? "", /^ada\|admin\|until \d{4}-/);
    assert.match(lines[2] ?? "", /^bob\|viewer\|expired \d{4}-/);
    assert.match(lines[3] ?? "", /^eve\|operator\|revoked \d{4}-/);
    const json = JSON.parse((await command("operator", "list", "--json")).stdout);
    assert.deepEqual(
      json.map(({ revokedAt }: { revokedAt: string | null }) => revokedAt === null),
      [true, true, false],
    );
  });

  it("is not any more, once revoked", async () => {
    assert.equal((await command("operator", "revoke", "ada")).stdout, "revoked ada\n");
    assert.equal(asked.revoke, "ada");
  });

  it("by authorities, which are shown with who goes by them, and as PEM", async () => {
    const { id, certificate, fingerprint } = authority.current();
    const { stdout } = await run(["ca", "show"], {
      socket: controller.socket,
      terminal: { columns: 160, rows: 24 },
      env: { NO_COLOR: "1" },
    });
    assert.match(stdout, new RegExp(`${id} +current: it signs +pi-0, pi-1, .*and 3 more`));
    const pem = (await command("ca", "show", "--pem")).stdout;
    assert.deepEqual(pemToDer(pem, "CERTIFICATE").map(Buffer.from), [certificate.raw]);
    const [json] = JSON.parse((await command("ca", "show", "--json")).stdout);
    assert.equal(json.fingerprint, fingerprint);
    assert.equal(json.serverName, `${id}.pallet.internal`);
  });

  it("by another authority from a rotation on, and the former one can be retired", async () => {
    assert.equal((await command("ca", "rotate")).stdout, `${authority.current().id} signs from now on\n`);
    assert.equal(asked.rotated, true);
    assert.equal((await command("ca", "retire", "3fa9", "--force")).stdout, "retired 3fa9\n");
    assert.deepEqual(asked.retire, { id: "3fa9", force: true });
  });
});
