import type { EnrollRequest } from "../../../proto/gen/pallet/v1/enrollment.ts";
import { idForm, isId } from "../../../proto/names/id.ts";
import { agentRoles } from "../../../proto/node/node-codec.ts";
import type { EnrolmentRequest } from "../../identity/enrolment.ts";
import { invalid } from "../../refusal/refusal.ts";
import { bootMacFromWire } from "./registration-from-wire.ts";
import { plainText } from "./text-from-wire.ts";

/** A request for an agent's certificate, checked. Throws a Failure naming what is wrong with it. */
export function enrolmentFromWire(request: EnrollRequest, address: string | undefined): EnrolmentRequest {
  const { token, csrDer, bootMac, serial, bootId } = request;
  const nodeId = bootMacFromWire(bootMac);
  const role = agentRoles.fromWire(request.role);
  if (role === undefined) throw invalid("role is missing: the certificate says which agent it is for");
  if (role === "netboot" && !isId(bootId)) throw invalid(`boot_id is not ${idForm}`);
  return {
    identity: role === "netboot" ? { kind: role, nodeId, bootId } : { kind: role, nodeId },
    csr: csrDer,
    ...(token !== "" && { token }),
    serial: plainText(serial, 64),
    ...(address !== undefined && { address }),
  };
}
