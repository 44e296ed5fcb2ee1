import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import {
  type EnrollmentServiceServer,
  EnrollmentServiceService,
  type EnrollRequest,
  type RegisterRequest,
} from "../../../proto/gen/pallet/v1/enrollment.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import { pemOf, type TestAuthority } from "./identity/an-authority.ts";

/** A controller's enrolment, as an agent sees it by TLS. */
export interface TlsController {
  readonly port: number;
  readonly enrolments: EnrollRequest[];
  readonly registrations: RegisterRequest[];
  /** Subjects of those who registered, as their certificates name them. */
  readonly callers: (string | undefined)[];
  /** Tokens that it takes. */
  readonly tokens: Set<string>;
  /** Whether certificates are renewed. */
  renews: boolean;
  /** Authorities that it names in every answer. */
  authorities: readonly TestAuthority[];
  /** Shows this instead of the certificate that it began with. */
  show(options: SecureContextOptions): void;
  close(): void;
}

/** Serves on a free port of loopback with a certificate of this authority, which signs for agents, too. */
export async function aTlsController(
  test: { after(end: () => void): void },
  authority: TestAuthority,
  { uri = "pallet://controller", days = 1, port = 0 }: { uri?: string; days?: number; port?: number } = {},
): Promise<TlsController> {
  const peers = new Map<string, TLSSocket>();
  const told = (): Buffer[] => state.authorities.map(({ certificate }) => certificate.raw);
  const interval = { seconds: 0n, nanos: 100_000_000 };
  const service: EnrollmentServiceServer = {
    register(call, callback) {
      state.registrations.push(call.request);
      state.callers.push(peers.get(call.getPeer())?.getPeerX509Certificate()?.subjectAltName);
      callback(null, { name: "pi-1", heartbeatInterval: interval, controllers: [], caCertificates: told() });
    },
    heartbeat: (_call, callback) => callback(null, { heartbeatInterval: interval, caCertificates: told() }),
    reportLogs: (_call, callback) => callback(null, {}),
    enroll({ request, getPeer }, callback) {
      void getPeer;
      state.enrolments.push(request);
      const isTaken = request.token === "" ? state.renews : state.tokens.has(request.token);
      if (!isTaken) return callback({ code: status.PERMISSION_DENIED, details: "this token was used" });
      const mac = request.bootMac.replaceAll(":", "-");
      const role = request.role === AgentRole.AGENT_ROLE_RESIDENT ? "resident" : `netboot/${request.bootId}`;
      const [first = authority] = state.authorities;
      const certificate = first.sign(request.csrDer, `pallet://node/${mac}/${role}`, { days });
      callback(null, {
        certificateDer: certificate.raw,
        caCertificates: told(),
        controllerTime: new Date(),
        expiresAt: certificate.validToDate,
      });
    },
    enrollResident: (_call, callback) => callback({ code: status.UNIMPLEMENTED }),
  };
  const server = new Server();
  server.addService(EnrollmentServiceService, service);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const own = { ...pemOf(authority.issue(uri), authority.certificate), ca: String(authority.certificate) };
  const listener = createServer({
    ...own,
    ALPNProtocols: ["h2"],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
  });
  listener.on("secureConnection", (socket) => {
    socket.on("error", () => undefined);
    peers.set(`${socket.remoteAddress}:${socket.remotePort}`, socket);
    injector.injectConnection(socket);
  });
  listener.listen(port, "127.0.0.1");
  await once(listener, "listening");
  const close = (): void => {
    listener.close();
    for (const socket of peers.values()) socket.destroy();
    server.forceShutdown();
  };
  test.after(close);
  const state: TlsController = {
    port: (listener.address() as AddressInfo).port,
    enrolments: [],
    registrations: [],
    callers: [],
    tokens: new Set(["t0ken"]),
    renews: true,
    authorities: [authority],
    show: (options) => listener.setSecureContext(options),
    close,
  };
  return state;
}
