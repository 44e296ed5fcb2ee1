import type { Rack } from "../../test/rack/rack.ts";
import { defaultSocket } from "./controller-socket.ts";

/** How to use a rack that stays up. */
export function describeAccess(rack: Rack): string {
  const curl = "node_modules/.bin/buf curl --protocol grpc --http2-prior-knowledge";
  return [
    "The rack stays up. From another terminal, in this folder:",
    "",
    ...(rack.socket === defaultSocket ? [] : [`  export PALLET_SOCKET=${rack.socket}`]),
    "  npm run controller -- nodes",
    "  npm run controller -- reimage --all --image debian-demo --yes",
    "  npm run controller -- events",
    "",
    "The same over gRPC, using reflection:",
    "",
    `  ${curl} --unix-socket ${rack.socket} --list-methods http://localhost`,
    `  ${curl} --unix-socket ${rack.socket} http://localhost/pallet.v1.ControllerService/ListNodes`,
    "",
    "Ctrl-C ends the rack.",
  ].join("\n");
}
