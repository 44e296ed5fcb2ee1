// Who may call what over TLS, row by row, at a controller that runs: each method of each service, by everyone there is.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { createFileRegistry, type DescMethod, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, status } from "@grpc/grpc-js";
import { execa } from "execa";
import { type Authority, openAuthority } from "../../controller/identity/authority.ts";
import { openAuthorityFiles } from "../../controller/identity/authority-files.ts";
import { type Asker, mayCall, rpcRoles } from "../../controller/identity/rpc-roles.ts";
import { fileDescriptorSet } from "../../proto/gen/file-descriptor-set.ts";
import { ControllerServiceClient, OperatorRole, StreamEventsRequest } from "../../proto/gen/pallet/v1/controller.ts";
import { HeartbeatRequest, RegisterRequest, ReportLogsRequest } from "../../proto/gen/pallet/v1/enrollment.ts";
import { AgentRole } from "../../proto/gen/pallet/v1/node.ts";
import { serverNameOf } from "../../proto/identity/authority-name.ts";
import { createKey, createRequest } from "../../proto/identity/certificate-request.ts";
import type { Identity } from "../../proto/identity/identity.ts";
import { derToPem } from "../../proto/identity/pem.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import { systemClock } from "../../proto/time/clock.ts";
import { checkout } from "../programs/checkout.ts";
import { anAuthority } from "../unit/controller/identity/an-authority.ts";
import { answer, collect } from "./calls.ts";
import { type ControllerProgram, startController } from "./processes.ts";
import { rawCall } from "./raw-call.ts";

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fileDescriptorSet));
const methods = [...registry]
  .flatMap((type) => (type.kind === "service" ? type.methods : []))
  .filter(({ parent }) => parent.typeName !== "pallet.v1.AgentService");
const pathOf = ({ parent, name }: DescMethod): string => `/${parent.typeName}/${name}`;

const nodeId = "02:00:00:00:00:77" as NodeId;
const netboot: Identity = { kind: "netboot", nodeId, bootId: "boot-1" };
const resident: Identity = { kind: "resident", nodeId };
const dayMs = 86_400_000;

/** Agents speak for their own node only, so what they ask has to be about it. */
const requests: Readonly<Record<string, (bootMac: string, role: AgentRole) => Uint8Array>> = {
  Register: (bootMac, role) =>
    RegisterRequest.encode(
      RegisterRequest.fromPartial({
        bootMac,
        facts: { bootId: "boot-1", interfaces: [{ name: "eth0", mac: bootMac }] },
        agent: { role, instanceId: "i", port: 1 },
      }),
    ).finish(),
  Heartbeat: (bootMac) => HeartbeatRequest.encode(HeartbeatRequest.fromPartial({ bootMac })).finish(),
  ReportLogs: (bootMac) => ReportLogsRequest.encode(ReportLogsRequest.fromPartial({ bootMac })).finish(),
};
const roleOf = (asker: Asker): AgentRole =>
  asker === "resident" ? AgentRole.AGENT_ROLE_RESIDENT : AgentRole.AGENT_ROLE_NETBOOT;
const isRefused = (code: status): boolean => code === status.PERMISSION_DENIED || code === status.UNAUTHENTICATED;

describe("the table of roles, at a controller that runs", () => {
  let controller: ControllerProgram;
  let admin: ControllerServiceClient;
  let authority: Authority;
  let client: (key?: string, certificate?: string) => Client;
  const clients = new Map<Asker, Client>();
  const clientOf = (asker: Asker): Client => clients.get(asker) ?? assert.fail();

  before(async () => {
    controller = await startController();
    admin = new ControllerServiceClient(`unix:${controller.socket}`, credentials.createInsecure());
    const files = await openAuthorityFiles(path.join(path.dirname(controller.socket), "state/identity"));
    authority = await openAuthority(files, { clock: systemClock });
    const { certificate, fingerprint } = authority.current();
    const ca = Buffer.from(derToPem(certificate.raw, "CERTIFICATE"));
    client = (key, own) =>
      new Client(
        controller.address,
        credentials.createSsl(ca, key === undefined ? null : Buffer.from(key), own ? Buffer.from(own) : null),
        { "grpc.ssl_target_name_override": serverNameOf(fingerprint), "grpc.enable_http_proxy": 0 },
      );
    clients.set("socket", admin);
    clients.set("nobody", client());
    clients.set("netboot", agentClient(netboot));
    clients.set("resident", agentClient(resident));
    clients.set("expired-agent", agentClient(netboot, -dayMs));
    for (const role of ["viewer", "operator", "admin"] as const) clients.set(role, await operatorClient(role));
  });
  after(async () => {
    for (const each of clients.values()) each.close();
    await controller?.kill();
  });

  function agentClient(identity: Identity, forMs?: number): Client {
    const key = createKey();
    const { certificate } = authority.issue(
      createRequest(key),
      identity as Exclude<Identity, { kind: "controller" }>,
      forMs,
    );
    return client(pkcs8(key), derToPem(certificate, "CERTIFICATE"));
  }

  async function operatorClient(role: "viewer" | "operator" | "admin", name = `a-${role}`): Promise<Client> {
    const key = createKey();
    const words = { viewer: 1, operator: 2, admin: 3 } as const satisfies Record<string, OperatorRole>;
    const csrDer = Buffer.from(createRequest(key));
    const request = { name, role: words[role], csrDer, validFor: undefined };
    const { certificateDer } = await answer(admin, admin.addOperator, request);
    return client(pkcs8(key), derToPem(certificateDer, "CERTIFICATE"));
  }

  it("has a row for every method that the controller serves", () => {
    assert.deepEqual(
      methods.map(pathOf).filter((each) => !rpcRoles.has(each)),
      [],
    );
  });

  const askers = ["nobody", "expired-agent", "resident", "netboot", "viewer", "operator", "admin", "socket"] as const;
  for (const method of methods) {
    it(`is kept for ${pathOf(method)}`, async () => {
      const allowed: string[] = [];
      for (const asker of askers) {
        const code = await rawCall(clientOf(asker), method, requests[method.name]?.(nodeId, roleOf(asker)));
        assert.notEqual(code, status.UNAVAILABLE, asker);
        if (!isRefused(code)) allowed.push(asker);
      }
      assert.deepEqual(
        allowed,
        askers.filter((asker) => mayCall(pathOf(method), asker)),
      );
    });
  }

  for (const [name, request] of Object.entries(requests)) {
    it(`lets an agent ${name} for its own node alone`, async () => {
      const method = methods.find((each) => each.name === name) ?? assert.fail();
      const other = `02:${randomBytes(5).toString("hex").match(/../g)?.join(":")}`;
      for (const asker of ["netboot", "resident"] as const) {
        assert.equal(
          await rawCall(clientOf(asker), method, request(other, roleOf(asker))),
          status.PERMISSION_DENIED,
          asker,
        );
      }
    });
  }

  it("refuses an operator from the moment on at which he is revoked, and ends his stream", async () => {
    const his = await operatorClient("admin", "eve");
    const method = methods.find(({ name }) => name === "ListNodes") ?? assert.fail();
    assert.equal(await rawCall(his, method), status.OK);
    const raw = (bytes: Buffer): Buffer => bytes;
    // "follow" of StreamEventsRequest.
    const follow = Buffer.from([0x10, 0x01]);
    const stream = his.makeServerStreamRequest("/pallet.v1.ControllerService/StreamEvents", raw, raw, follow);
    const ended = new Promise<number>((resolve) => {
      stream.on("error", () => {});
      stream.on("status", ({ code }: { code: number }) => resolve(code));
    });
    await new Promise((resolve) => stream.once("data", resolve));
    await answer(admin, admin.revokeOperator, { name: "eve" });
    stream.resume();
    assert.notEqual(await ended, status.OK);
    assert.equal(await rawCall(his, method), status.UNAUTHENTICATED);
    his.close();
  });

  it("is the same for buf curl with a key, a certificate, the authority and the server name", async (test) => {
    const folder = await mkdtemp(path.join(tmpdir(), "pallet-bundle-"));
    test.after(() => rm(folder, { recursive: true }));
    const key = createKey();
    const request = { name: "curl", role: OperatorRole.OPERATOR_ROLE_VIEWER, validFor: undefined };
    const csrDer = Buffer.from(createRequest(key));
    const { certificateDer } = await answer(admin, admin.addOperator, { ...request, csrDer });
    const { certificate, fingerprint } = authority.current();
    const files = { key: pkcs8(key), cert: certificateDer, cacert: certificate.raw };
    for (const [name, content] of Object.entries(files)) {
      const pem = typeof content === "string" ? content : derToPem(content, "CERTIFICATE");
      await writeFile(path.join(folder, name), pem, { mode: 0o600 });
    }
    const curl = (method: string) => {
      const credential = Object.keys(files).flatMap((name) => [`--${name}`, path.join(folder, name)]);
      const door = ["--servername", serverNameOf(fingerprint), `https://${controller.address}/${method}`];
      return execa("buf", ["curl", "--protocol", "grpc", ...credential, ...door], {
        ...{ preferLocal: true, localDir: checkout, reject: false },
      });
    };
    const nodes = await curl("pallet.v1.ControllerService/ListNodes");
    assert.equal(nodes.exitCode, 0, nodes.stderr);
    const rotation = await curl("pallet.v1.ControllerService/RotateAuthority");
    assert.match(rotation.stderr, /permission_denied.*RotateAuthority is not for operator curl, whose role is viewer/s);
  });

  it("shows no key and no token in the log, in events and in the list of processes", async () => {
    const folder = path.join(path.dirname(controller.socket), "state/identity");
    const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(pem|key)$/.test(name));
    const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), "utf8")));
    const secrets = texts.map((text) => /PRIVATE KEY-----\s*(\S{40})/.exec(text)?.[1] ?? text.trim());
    assert.ok(secrets.length >= 2);
    const events = await collect(admin.streamEvents(StreamEventsRequest.fromPartial({})));
    const processes = await commandLines();
    const shown = `${controller.log.text()}${inspect(events, { depth: 9, maxArrayLength: null })}${processes}`;
    assert.ok(shown.includes("operator-added"));
    for (const secret of secrets) assert.ok(!shown.includes(secret), "a secret is shown");
    assert.ok(!shown.includes("PRIVATE KEY"));
  });

  it("knows no certificate that another authority made, whatever it names", async () => {
    const other = await anAuthority();
    const key = createKey();
    const { certificate } = other.issue(createRequest(key), { kind: "operator", name: "a-admin" });
    const stranger = client(pkcs8(key), derToPem(certificate, "CERTIFICATE"));
    const method = methods.find(({ name }) => name === "ListNodes") ?? assert.fail();
    assert.equal(await rawCall(stranger, method), status.UNAUTHENTICATED);
    stranger.close();
  });
});

function pkcs8(key: ReturnType<typeof createKey>): string {
  return derToPem(key.export({ type: "pkcs8", format: "der" }), "PRIVATE KEY");
}

/** The words of every process, as ps(1) shows them (proc_pid_cmdline(5)). */
async function commandLines(): Promise<string> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  // Those that have ended since are gone.
  const read = (id: string) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "");
  return (await Promise.all(ids.map(read))).join("\n");
}
