import type { OperatorRole } from "../../proto/words/operator-role.ts";

/**
 * Who asks, as far as it decides what he may: a user whom the unix socket lets in, an operator by his role, the agent of
 * a node, an agent whose certificate has expired, or somebody who has proved nothing.
 */
export type Asker = "socket" | OperatorRole | "netboot" | "resident" | "expired-agent" | "nobody";

const looks: readonly Asker[] = ["socket", "admin", "operator", "viewer"];
const changes: readonly Asker[] = ["socket", "admin", "operator"];
const admits: readonly Asker[] = ["socket", "admin"];
/** What would let its owner be the controller, and could not be taken back from him. */
const here: readonly Asker[] = ["socket"];
const agents: readonly Asker[] = ["socket", "netboot", "resident"];
const everyone: readonly Asker[] = [...looks, "netboot", "resident", "expired-agent", "nobody"];

const controller = {
  GetStatus: looks,
  ListNodes: looks,
  SelectNodes: looks,
  GetNode: looks,
  ListNodeDisks: looks,
  GetBoardReport: looks,
  ListImages: looks,
  GetImage: looks,
  ListRoots: looks,
  PlanRollout: looks,
  ListProfiles: looks,
  CheckProfiles: looks,
  RenderNodeConfig: looks,
  WatchRollout: looks,
  ListRollouts: looks,
  StreamEvents: looks,
  StreamNodeLogs: looks,
  RenameNode: changes,
  AcceptNodes: changes,
  LabelNodes: changes,
  ForgetNode: changes,
  SetBootTarget: changes,
  RunNodeOperation: changes,
  RebootNode: changes,
  RetryTasks: changes,
  AddImage: changes,
  DeriveImage: changes,
  CaptureImage: changes,
  RemoveImage: changes,
  RemoveRoot: changes,
  StartRollout: changes,
  CancelRollout: changes,
  ListOperators: looks,
  AddOperator: admits,
  RevokeOperator: admits,
  GetAuthorities: looks,
  RotateAuthority: admits,
  RetireAuthority: admits,
  TakeBackup: here,
  ReportBackup: here,
} as const satisfies Readonly<Record<string, readonly Asker[]>>;

const enrollment = {
  // What it asks for decides: a token, or the certificate that is renewed.
  Enroll: everyone,
  EnrollResident: ["netboot"],
  Register: agents,
  Heartbeat: agents,
  ReportLogs: agents,
} as const satisfies Readonly<Record<string, readonly Asker[]>>;

/**
 * Who may call which RPC of the controller: the one table, also drawn in controller/rpc/README.md. Agents speak for
 * their own node only, which is not looked at here.
 */
export const rpcRoles: ReadonlyMap<string, readonly Asker[]> = new Map<string, readonly Asker[]>([
  ...Object.entries(controller).map(([name, askers]) => [`/pallet.v1.ControllerService/${name}`, askers] as const),
  ...Object.entries(enrollment).map(([name, askers]) => [`/pallet.v1.EnrollmentService/${name}`, askers] as const),
  ["/grpc.health.v1.Health/Check", everyone],
  ["/grpc.health.v1.Health/Watch", looks],
  ["/grpc.health.v1.Health/List", looks],
  ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", looks],
  ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", looks],
]);

/** Whether an RPC may be called; nobody may call one that is not in the table. */
export function mayCall(path: string, asker: Asker): boolean {
  return rpcRoles.get(path)?.includes(asker) ?? false;
}
