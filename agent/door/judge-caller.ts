/** What is known about a caller. Addresses as `plainAddress` writes them. */
export interface Caller {
  readonly address: string;
  /** Set if the other end is on this node too: the user that it runs as, undefined if unknown. */
  readonly local?: { readonly uid: number | undefined };
}

/** Who may give orders. */
export interface Orderers {
  /** The controller's addresses; none without a controller, or while its name is not resolved. */
  readonly controller: readonly string[];
  /** The user that this agent runs as. */
  readonly uid: number;
}

/**
 * Whether the caller may give orders: the controller that this agent goes by, by its addresses, and on the node
 * itself root and the agent's own user, who could do all of this anyway. An address of this node proves nothing: every
 * user of it has that.
 */
export function mayOrder({ address, local }: Caller, { controller, uid }: Orderers): boolean {
  if (local !== undefined) return local.uid !== undefined && (local.uid === 0 || local.uid === uid);
  return controller.includes(address);
}
