import { networkInterfaces } from "node:os";

/** Every numeric address that this machine's interfaces have at this moment; link-local ones with their scope. */
export function readOwnAddresses(): readonly string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map((own) => (own.family === "IPv6" && own.scopeid !== 0 ? `${own.address}%${name}` : own.address)),
  );
}
