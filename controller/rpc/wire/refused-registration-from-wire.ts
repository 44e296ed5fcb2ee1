import { messageOf } from "../../../proto/failure.ts";
import type { RegisterRequest } from "../../../proto/gen/pallet/v1/enrollment.ts";
import { limits } from "../../../proto/limits.ts";
import { parseMacAddress } from "../../../proto/names/node-id.ts";
import type { RefusedRegistration } from "../../nodes/select-refused-nodes.ts";
import { plainText } from "./text-from-wire.ts";

/** More than any board has, and no list that is worth a stranger's while. */
const mostMacs = 64;

/** What of a refused introduction says whose it was. Never throws, whatever the request says. */
export function refusedRegistrationFromWire(
  { bootMac, facts }: RegisterRequest,
  address: string | undefined,
  error: unknown,
): RefusedRegistration {
  const id = parseMacAddress(bootMac);
  return {
    serial: plainText(facts?.serial ?? "", limits.facts.wordCharacters.most),
    macs: (facts?.interfaces ?? [])
      .slice(0, mostMacs)
      .map(({ mac }) => plainText(mac, limits.facts.wordCharacters.most)),
    message: plainText(messageOf(error), 400),
    ...(id !== undefined && { id }),
    ...(address !== undefined && { address }),
  };
}
