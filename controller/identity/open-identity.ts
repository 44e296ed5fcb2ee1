import { hkdfSync, randomBytes } from "node:crypto";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { AgentRole } from "../../proto/system/agent-program.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { EventLog } from "../events/event-log.ts";
import { precondition } from "../refusal/refusal.ts";
import { type Authority, type KnownAuthority, openAuthority } from "./authority.ts";
import { openAuthorityFiles } from "./authority-files.ts";
import { createEnrolment, type Enrolment } from "./enrolment.ts";
import type { IdentityRows } from "./identity-rows.ts";
import { createOperators, type Operators } from "./operators.ts";
import { createPeerJudge, type PeerJudge } from "./peer-judge.ts";
import { createTokens, type Tokens } from "./tokens.ts";

/** Who goes by the certificates of an authority now, by name. */
export interface AuthorityUsers {
  readonly nodes: readonly string[];
  readonly operators: readonly string[];
}

/** Who belongs to this controller: its authority, and everyone who has a certificate of it. */
export interface ControllerIdentity {
  readonly authority: Omit<Authority, "rotate" | "retire">;
  readonly tokens: Pick<Tokens, "mint">;
  readonly enrolment: Enrolment;
  readonly operators: Operators;
  /** Judges the certificates that others show. */
  readonly judge: PeerJudge;
  /** Key of the digests of what systems are to be; 32 octets that only this controller knows. */
  readonly configKey: Uint8Array;
  usersOf(authority: Pick<KnownAuthority, "fingerprint">): AuthorityUsers;
  rotate(): Promise<KnownAuthority>;
  /** Rejects with a Refusal while somebody goes by it, unless `force`. */
  retire(id: string, options: { readonly force: boolean }): Promise<void>;
}

/**
 * Opens what the folder and the rows hold of identities; at the first start it makes an authority.
 *
 * @param grace the time for what was issued before the clock was set ahead
 * @param nodeOf a known node, with the role of the agent that was heard last
 */
export async function openIdentity({
  folder,
  rows,
  events,
  clock,
  grace = clock,
  nodeOf,
}: {
  readonly folder: string;
  readonly rows: IdentityRows;
  readonly events: Pick<EventLog, "append">;
  readonly clock: Clock;
  readonly grace?: Pick<Clock, "now">;
  readonly nodeOf: (id: NodeId) => { readonly name: string; readonly role?: AgentRole } | undefined;
}): Promise<ControllerIdentity> {
  const files = await openAuthorityFiles(folder);
  const tell = (type: "authority-made" | "authority-rotated" | "authority-retired", message: string): void => {
    events.append({ type, severity: "info", message });
  };
  const authority = await openAuthority(files, {
    clock,
    onCreated: ({ id }) => tell("authority-made", `this controller has a certificate authority now: ${id}`),
  });
  let { tokenKey } = await files.read();
  if (tokenKey === undefined) {
    tokenKey = randomBytes(32);
    await files.saveTokenKey(tokenKey);
  }
  // RFC 5869: a key of its own for each use, of what has to be kept.
  const configKey = new Uint8Array(hkdfSync("sha256", tokenKey, "", "pallet config digest", 32));
  const tokens = createTokens({ key: tokenKey, rows, clock, grace });
  const nameOf = (id: NodeId): string | undefined => nodeOf(id)?.name;
  const enrolment = createEnrolment({ authority, tokens, rows, events, clock, nameOf });
  const operators = createOperators({ rows, authority, events, clock });

  const usersOf: ControllerIdentity["usersOf"] = ({ fingerprint }) => {
    const names = enrolment
      .certificates()
      .filter((certificate) => certificate.authority === fingerprint)
      .map(({ nodeId, role }) => ({ role, node: nodeOf(nodeId) }))
      // A netboot agent's key ends with its boot, which may be over.
      .filter(({ role, node }) => role === "resident" || node?.role === "netboot")
      .map(({ node }) => node?.name)
      .filter((name) => name !== undefined);
    const theirs = operators
      .list()
      .filter((each) => each.authority === fingerprint && each.revokedAt === undefined && each.expiresAt > clock.now());
    return { nodes: [...new Set(names)].toSorted(), operators: theirs.map(({ name }) => name) };
  };

  return {
    authority,
    tokens,
    enrolment,
    operators,
    judge: createPeerJudge({ authority, clock, grace }),
    configKey,
    usersOf,
    async rotate() {
      const made = await authority.rotate();
      tell(
        "authority-rotated",
        `certificate authority ${made.id} signs from now on; former ones count until they retire`,
      );
      return made;
    },
    async retire(id, { force }) {
      const former = authority.require(id);
      const { nodes, operators: names } = usersOf(former);
      const users = [...nodes.map((name) => `node ${name}`), ...names.map((name) => `operator ${name}`)];
      if (former.id !== authority.current().id && users.length > 0 && !force) {
        const shown =
          users.length > 10 ? `${users.slice(0, 10).join(", ")} and ${users.length - 10} more` : users.join(", ");
        throw precondition(
          `authority ${former.id} still is the one of ${shown}; nodes that are online enrol under the current one by ` +
            "themselves, others when they next boot from the network; to retire it all the same, give --force",
        );
      }
      await authority.retire(former.id);
      for (const name of names) operators.shutOut(name);
      tell("authority-retired", `certificate authority ${former.id} does not count any more`);
    },
  };
}
