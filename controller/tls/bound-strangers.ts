import {
  type BoundedConnections,
  type BoundedConnectionsOptions,
  createBoundedConnections,
} from "../../proto/connections/bounded-connections.ts";
import { limits } from "../../proto/limits.ts";

/** Bounds the connections of one TLS port whose peers prove nothing. */
export function boundStrangers(log: BoundedConnectionsOptions["log"]): BoundedConnections {
  return createBoundedConnections({
    limits: { all: limits.tls.strangers.most, perAddress: limits.tls.strangersPerAddress.most },
    tellsWork: false,
    log,
  });
}
