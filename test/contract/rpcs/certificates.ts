// What is tested of how agents get their certificates.
import assert from "node:assert/strict";
import { randomBytes, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openIdentity } from "../../../controller/identity/open-identity.ts";
import { createTokens } from "../../../controller/identity/tokens.ts";
import { createEnrollmentService } from "../../../controller/rpc/doors/enrollment-service.ts";
import type { CallHost } from "../../../controller/rpc/doors/handle-call.ts";
import { openStore } from "../../../controller/store/open-store.ts";
import type { EnrollRequest, EnrollResidentResponse } from "../../../proto/gen/pallet/v1/enrollment.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import { createKey, createRequest } from "../../../proto/identity/certificate-request.ts";
import { type Identity, identityOf } from "../../../proto/identity/identity.ts";
import { judgePeer, type PeerVerdict } from "../../../proto/identity/judge-peer.ts";
import { type NodeId, parseMacAddress } from "../../../proto/names/node-id.ts";
import { systemClock } from "../../../proto/time/clock.ts";
import { answer } from "../calls.ts";
import type { Refusal, ServiceChecks } from "./checks.ts";
import type { World } from "./world.ts";

/** A token as a boot config of this node would carry it. */
async function tokenFor({ controllerProgram }: World, nodeId: NodeId): Promise<string> {
  const key = await readFile(path.join(controllerProgram.stateDirectory, "identity/token.key"), "utf8");
  const rows = { usedTokens: () => [], saveUsedToken: () => undefined };
  return createTokens({ key: Buffer.from(key.trim(), "base64url"), rows, clock: { now: () => Date.now() } }).mint(
    nodeId,
  );
}

const newNode = (): NodeId => parseMacAddress(`02${randomBytes(5).toString("hex")}`) ?? assert.fail();
const requestOf = (bootMac: string, more: Partial<EnrollRequest> = {}): EnrollRequest => ({
  bootMac,
  token: "",
  csrDer: Buffer.from(createRequest(createKey())),
  serial: "10000000abcdef01",
  bootId: "boot-1",
  role: AgentRole.AGENT_ROLE_NETBOOT,
  ...more,
});
const enroll = ({ enrollment }: World, request: EnrollRequest) => answer(enrollment, enrollment.enroll, request);

const malformed: readonly (readonly [when: string, says: RegExp, more: Partial<EnrollRequest>])[] = [
  ["no MAC address is given", /boot_mac is empty/, { bootMac: "" }],
  ["no role is given", /role is missing/, { role: AgentRole.AGENT_ROLE_UNSPECIFIED }],
  ["no boot id is given", /boot_id is not 1 to 64/, { bootId: "" }],
  ["the boot id is a path", /boot_id/, { bootId: "a/resident" }],
  ["the certificate request is none", /csr_der: the certificate request is refused/, { csrDer: Buffer.from("x") }],
];

/** Tests of Enroll and EnrollResident. */
export const certificateChecks: ServiceChecks = {
  Enroll: {
    success: {
      "gives the certificate of this boot of this node for a token, and again for the same key": async (world) => {
        const nodeId = newNode();
        const request = requestOf(nodeId, { token: await tokenFor(world, nodeId) });
        const { certificateDer, controllerTime, expiresAt } = await enroll(world, request);
        const certificate = new X509Certificate(certificateDer);
        assert.deepEqual(identityOf(certificate), { kind: "netboot", nodeId, bootId: "boot-1" });
        const { authorities } = await answer(world.controller, world.controller.getAuthorities, {});
        const trusted = authorities.map((each) => new X509Certificate(each.certificateDer));
        assert.equal(judgePeer(certificate, trusted, Date.now(), "client").kind, "known");
        assert.equal(expiresAt?.getTime(), certificate.validToDate.getTime());
        assert.ok(Math.abs((controllerTime?.getTime() ?? 0) - Date.now()) < 60_000);
        await enroll(world, request);
      },
      "gives a resident agent its own for a token": async (world) => {
        const nodeId = newNode();
        const more = { token: await tokenFor(world, nodeId), role: AgentRole.AGENT_ROLE_RESIDENT, bootId: "" };
        const { certificateDer } = await enroll(world, requestOf(nodeId, more));
        assert.deepEqual(identityOf(new X509Certificate(certificateDer)), { kind: "resident", nodeId });
      },
    },
    errors: {
      INVALID_ARGUMENT: malformed.map(
        ([when, says, more]): Refusal => ({
          when,
          reason: "FAILURE_REASON_INVALID",
          says,
          call: (world) => enroll(world, requestOf(newNode(), more)),
        }),
      ),
      PERMISSION_DENIED: [
        {
          when: "the token is another node's",
          reason: "FAILURE_REASON_TOKEN_REFUSED",
          says: /not made by this controller for this node; the node's next boot from the network brings a new one/,
          call: async (world) => enroll(world, requestOf(newNode(), { token: await tokenFor(world, newNode()) })),
        },
        {
          when: "the token was used for another key",
          reason: "FAILURE_REASON_TOKEN_REFUSED",
          says: /was used already, for another key/,
          call: async (world) => {
            const nodeId = newNode();
            const token = await tokenFor(world, nodeId);
            await enroll(world, requestOf(nodeId, { token }));
            return enroll(world, requestOf(nodeId, { token }));
          },
        },
      ],
      UNAUTHENTICATED: [
        {
          when: "there is neither a token nor a certificate",
          reason: "FAILURE_REASON_NOT_PERMITTED",
          says: /no certificate was presented/,
          call: (world) => enroll(world, requestOf(newNode())),
        },
      ],
    },
  },

  EnrollResident: {
    success: {
      "gives a netboot agent the certificate of the resident agent of its node": async () => {
        const { certificateDer } = await enrollResidentAsNetboot(createRequest(createKey()));
        assert.deepEqual(identityOf(new X509Certificate(certificateDer)), { kind: "resident", nodeId: someNode });
      },
    },
    errors: {
      PERMISSION_DENIED: [
        {
          when: "nobody has proved to be a netboot agent",
          reason: "FAILURE_REASON_NOT_PERMITTED",
          says: /agent|certificate/,
          call: ({ enrollment }) => answer(enrollment, enrollment.enrollResident, requestOf(newNode())),
        },
      ],
      INVALID_ARGUMENT: [
        {
          when: "the certificate request is none",
          reason: "FAILURE_REASON_INVALID",
          says: /certificate request is refused/,
          call: () => enrollResidentAsNetboot(new Uint8Array(3)),
        },
      ],
    },
  },
};

const someNode = newNode();

/** Calls the door as an agent does whose certificate the server has judged: who may call is tested at real doors. */
async function enrollResidentAsNetboot(csrDer: Uint8Array): Promise<EnrollResidentResponse> {
  const folder = await mkdtemp(path.join(tmpdir(), "pallet-certificates-"));
  const store = openStore(":memory:");
  try {
    const events = { append: () => undefined };
    const identity = await openIdentity({
      ...{ folder, events, rows: store.identity, clock: systemClock },
      nodeOf: () => undefined,
    });
    const netboot: Identity = { kind: "netboot", nodeId: someNode, bootId: "boot-1" };
    const peer: PeerVerdict = { kind: "known", identity: netboot, authority: "", fingerprint: "", expiresAt: 0 };
    const host: CallHost = {
      closing: new AbortController().signal,
      ongoing: new Set(),
      callerOf: () => ({ kind: "agent", nodeId: someNode }),
      peerOf: () => peer,
      log: { error: () => undefined },
    };
    const unused = {} as Parameters<typeof createEnrollmentService>[1];
    const { enrollResident } = createEnrollmentService(host, { ...unused, identity, clock: systemClock });
    const call = { request: { csrDer }, cancelled: false, getPeer: () => "127.0.0.1:1", on: () => undefined };
    return await new Promise((resolve, reject) => {
      enrollResident(call as unknown as Parameters<typeof enrollResident>[0], (error, response) =>
        response ? resolve(response) : reject(error),
      );
    });
  } finally {
    store.close();
    await rm(folder, { recursive: true });
  }
}
