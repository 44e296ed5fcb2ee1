import { Failure } from "../../proto/failure.ts";

const keyLine =
  /(^|\s)(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]{40,}=*(\s|$)/;

/**
 * The keys of an authorized_keys file (sshd(8)), without comments and empty lines. Throws a Failure `invalid` when a
 * line is not a public key, above all when it is a private one, or when there is none.
 */
export function checkAuthorizedKeys(text: string, name: string): readonly string[] {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw new Failure(
      "invalid",
      `${name} is a private key; give the public one (its name ends in .pub): every node can read the root filesystem`,
    );
  const lines = text.split("\n").map((line) => line.trim());
  const keys = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const wrong = lines.findIndex((line) => line !== "" && !line.startsWith("#") && !keyLine.test(line));
  if (wrong >= 0) throw new Failure("invalid", `line ${wrong + 1} of ${name} is not an SSH public key`);
  if (keys.length === 0) throw new Failure("invalid", `${name} contains no SSH public key`);
  return keys;
}
