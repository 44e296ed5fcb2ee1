import { Failure } from "../../proto/failure.ts";
import type { OperationSpec } from "../../proto/operation/operation-spec.ts";
import type { AgentRole } from "../../proto/system/agent-program.ts";

/** Whether a kind of work changes what a device holds or how it is used. */
export const changesDevice: Record<OperationSpec["kind"], boolean> = {
  "write-image": true,
  "verify-image": false,
  "make-filesystem": true,
  wipe: true,
  unmount: true,
  identify: false,
};

/** Throws a Failure "unsupported" for work that the role may not do: the resident agent only reports and reboots. */
export function requirePermission(role: AgentRole, kind: OperationSpec["kind"] | "read-disk"): void {
  if (role === "netboot" || kind === "identify") return;
  throw new Failure(
    "unsupported",
    `the agent in an installed system does not perform ${kind}: set the node's boot target to agent and reboot it`,
  );
}
