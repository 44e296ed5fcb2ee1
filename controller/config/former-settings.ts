/** Settings that an earlier Pallet had, by their keys, with what to do instead. */
export const formerSettings: ReadonlyMap<string, string> = new Map([
  [
    "insecureTcp",
    "insecureTcp is gone: nodes and operators prove who they are, by TLS; remove it, and use the unix socket or an " +
      'operator\'s certificate ("controller operator add"); a test bench without TLS has insecure',
  ],
]);
