import { fieldOf, type Located, type Place } from "./located.ts";

/** Fields of a config that a profile can say by another name. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  passwordHash: ["passwordHashFile"],
  authorizedKeys: ["authorizedKeysFile"],
  passphrase: ["passphraseFile"],
  hostKeys: ["hostKeyFiles"],
  content: ["contentFile", "secretFile", "secretFrom", "link", "folder"],
  bytes: ["content", "contentFile", "secretFile", "secretFrom"],
  target: ["link"],
  run: ["command", "script", "scriptFile"],
  words: ["command"],
  text: ["script", "scriptFile"],
  timeoutMs: ["timeout"],
  secrets: ["secretFiles", "secretsFrom"],
  userData: ["userDataFile"],
};

/** Where a profile says a field of the config that it makes; see valueOfField. */
export function placeOfField(system: Located, field: string): Place {
  return valueOfField(system, field).place;
}

/**
 * What a profile says of a field of the config that it makes, for example "users[0].passwordHash"; the nearest value around
 * it where the profile says it in other words.
 *
 * @param system what the config was built from
 */
export function valueOfField(system: Located, field: string): Located {
  let value = system;
  for (const step of field.match(/[^.[\]]+/g) ?? []) {
    if (value.kind === "list") {
      const item = value.items[Number(step)];
      if (item === undefined) break;
      value = item;
      continue;
    }
    const found = [step, ...(otherNames[step] ?? [])]
      .map((name) => fieldOf(value, name))
      .find((each) => each !== undefined);
    // "files[0].content.bytes": what is deeper in the config may be as deep in the profile.
    if (found !== undefined) value = found;
  }
  return value;
}
