import type { MapShape, Shape } from "./shape.ts";

const text = (wants: string, form?: RegExp): Shape => ({ kind: "text", wants, ...(form && { form }) });
/** Any text, also with what hooks give. */
const free = (wants: string): Shape => ({ kind: "text", wants, takesHookValues: true });
const hookSecret: Shape = {
  ...{ kind: "text", wants: "the name of a secret that a before-reimage hook gives", literal: true },
  ...{ form: /^[a-z][a-z0-9_]{0,62}$/, namesHookSecret: true },
};
const secret = (wants: string): Shape => ({ kind: "text", wants, secret: true });
const literal = (wants: string, form?: RegExp): Shape => ({
  kind: "text",
  wants,
  literal: true,
  ...(form && { form }),
});
const file = {
  kind: "text",
  wants: "the path of a file, from the profile's folder",
  names: "file",
} as const satisfies Shape;
const secretFile = {
  ...{ kind: "text", wants: "the path of a file that only its owner may read, from the profile's folder" },
  names: "secret-file",
} as const satisfies Shape;
const list = (of: Shape, by?: "name" | "path"): Shape => ({ kind: "list", of, most: 1024, ...(by && { by }) });
const map = (fields: MapShape["fields"], more: Partial<MapShape> = {}): MapShape => ({ kind: "map", fields, ...more });
const variable = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const record = (of: Shape): Shape => ({
  ...{ kind: "record", of, key: variable, wants: "names of letters, digits and _", most: 256 },
});
const flag: Shape = { kind: "boolean" };
const user = text("the name of a user or group, or a number");

/** Under `system`: the fields of SystemConfig (proto/system/config), which says what each means. */
export const systemShape: MapShape = map(
  {
    hostname: text("a host name"),
    timezone: text('a time zone such as "Europe/Zurich"'),
    locale: text('a locale such as "de_CH.UTF-8"'),
    keyboard: map({ layout: text("a keyboard layout"), model: text("a model"), variant: text("a variant") }),
    users: list(
      map(
        {
          name: text("a user's name"),
          uid: { kind: "integer", least: 1, most: 4_294_967_293 },
          fullName: text("a name"),
          shell: text("the absolute path of a program"),
          groups: list(text("a group's name")),
          passwordHash: secret("a hash of crypt(5), as mkpasswd prints it"),
          passwordHashFile: secretFile,
          authorizedKeys: list(text("a line of authorized_keys")),
          authorizedKeysFile: file,
          sudo: { kind: "word", words: ["password", "no-password"] },
        },
        {
          required: ["name"],
          alternatives: [
            ["passwordHash", "passwordHashFile"],
            ["authorizedKeys", "authorizedKeysFile"],
          ],
        },
      ),
      "name",
    ),
    ssh: map({ enabled: flag, passwordAuthentication: flag, ownHostKeys: flag, hostKeyFiles: list(secretFile) }),
    network: map({
      interfaces: list(
        map(
          {
            name: text("an interface's name"),
            addresses: list(text('an address with its prefix, such as "10.0.0.7/24"')),
            gateways: list(text("an IP address")),
            dns: list(text("an IP address")),
            searchDomains: list(text("a domain")),
          },
          { required: ["name"] },
        ),
        "name",
      ),
      wifi: map(
        {
          country: text('a country such as "CH"'),
          ssid: text("a network's name"),
          passphrase: secret("a passphrase"),
          passphraseFile: secretFile,
          hidden: flag,
        },
        { alternatives: [["passphrase", "passphraseFile"]] },
      ),
    }),
    files: list(
      map(
        {
          path: text("an absolute path"),
          content: free("text"),
          contentFile: { ...file, isBytes: true },
          secretFile: { ...secretFile, isBytes: true },
          secretFrom: hookSecret,
          link: text("the target of a symbolic link"),
          folder: flag,
          mode: text('permission bits such as "0644"', /^0?[0-7]{3,4}$/),
          owner: user,
          group: user,
        },
        {
          required: ["path"],
          alternatives: [["content", "contentFile", "secretFile", "secretFrom", "link", "folder"]],
        },
      ),
      "path",
    ),
    units: list(
      map(
        { name: text("a unit's name"), state: { kind: "word", words: ["enabled", "disabled", "masked"] } },
        { required: ["name"] },
      ),
      "name",
    ),
    tasks: list(
      map(
        {
          name: text("a name"),
          command: list(free("a program or an argument")),
          script: free('a script that begins with "#!"'),
          scriptFile: file,
          timeout: text('a time such as "90s", "5m" or "1h"', /^[0-9]{1,6}(ms|s|m|h)$/),
          user: text("a user's name"),
          environment: record(free("text")),
          secretFiles: record(secretFile),
          secretsFrom: record(hookSecret),
        },
        { required: ["name"], alternatives: [["command", "script", "scriptFile"]] },
      ),
      "name",
    ),
    userData: secret("cloud-config"),
    userDataFile: secretFile,
  },
  { alternatives: [["userData", "userDataFile"]] },
);

const pattern = literal('a pattern such as "pi-*"', /^\S.{0,255}$/);

/** A profile's file. */
export const profileShape: MapShape = map({
  name: literal("a name of small letters, digits, - and _", /^[a-z0-9][a-z0-9_-]{0,62}$/),
  match: map({
    labels: literal('a selector of labels such as "rack=a,role in (db,web)"'),
    name: pattern,
    model: pattern,
    image: pattern,
  }),
  priority: { kind: "integer", least: -1_000_000, most: 1_000_000 },
  system: systemShape,
});
