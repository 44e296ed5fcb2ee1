import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildConfig } from "../../../../controller/profiles/build-config.ts";
import { renderProblem } from "../../../../controller/profiles/located.ts";
import { parseProfile } from "../../../../controller/profiles/parse-profile.ts";
import { systemShape } from "../../../../controller/profiles/profile-shape.ts";
import { renderProfiles } from "../../../../controller/profiles/render-profiles.ts";
import { renderTemplates } from "../../../../controller/profiles/template-problems.ts";
import type { TemplateValues } from "../../../../controller/profiles/templates.ts";

const values: TemplateValues = {
  name: "pi-1",
  mac: "b8:27:eb:00:00:01",
  index: 3,
  labels: { rack: "a" },
  image: "debian",
};

/** What profiles say together, as a config, or the problems. */
function merged(...texts: readonly string[]) {
  const profiles = texts.map((text, index) => {
    const { profile, problems } = parseProfile(text, `/p/${index}.yaml`);
    assert.deepEqual(problems.map(renderProblem), []);
    assert.ok(profile);
    return profile;
  });
  const { system, problems } = renderProfiles(profiles, values);
  if (system === undefined) return problems.map(renderProblem);
  const built = buildConfig(system, new Map());
  return built.problems.length > 0 ? built.problems.map(renderProblem) : built.config;
}

describe("profiles of one node", () => {
  for (const [title, texts, expected] of [
    ["say nothing when they are empty", ["system: {}"], []],
    [
      "fill in what is known of it",
      ["system: { hostname: \"{{ name }}-{{ index | prepend: '00' | slice: -2, 2 }}\" }"],
      { hostname: "pi-1-03" },
    ],
    [
      "can count on",
      ['system: { users: [{ name: a, uid: "{{ 1000 | plus: index }}" }] }'],
      { users: [{ name: "a", uid: 1003 }] },
    ],
    [
      "can choose",
      [`system: { timezone: "{% if labels.rack == 'a' %}Europe/Zurich{% else %}UTC{% endif %}" }`],
      { timezone: "Europe/Zurich" },
    ],
    [
      "have a word for what is not there",
      [`system: { timezone: "{{ labels.tz | default: 'UTC' }}" }`],
      { timezone: "UTC" },
    ],
    [
      "are merged field by field",
      ["system: { hostname: a, keyboard: { layout: ch, variant: de } }", "system: { keyboard: { variant: fr } }"],
      { hostname: "a", keyboard: { layout: "ch", variant: "fr" } },
    ],
    [
      "take back what is null",
      ["system: { hostname: a, timezone: UTC }", "system: { hostname: null }"],
      { timezone: "UTC" },
    ],
    [
      "are merged entry by entry where entries have names, by what is rendered",
      [
        "system: { users: [{ name: a, shell: /bin/sh }, { name: pi-1, shell: /bin/sh }] }",
        'system: { users: [{ name: "{{ name }}", uid: 7 }, { name: c }] }',
      ],
      { users: [{ name: "a", shell: "/bin/sh" }, { name: "pi-1", uid: 7, shell: "/bin/sh" }, { name: "c" }] },
    ],
    [
      "replace other lists",
      ["system: { users: [{ name: a, groups: [x, y] }] }", "system: { users: [{ name: a, groups: [z] }] }"],
      { users: [{ name: "a", groups: ["z"] }] },
    ],
    [
      "replace one way to say something by another",
      ["system: { files: [{ path: /a, content: text, mode: '0600' }] }", "system: { files: [{ path: /a, link: /b }] }"],
      { files: [{ path: "/a", content: { kind: "link", target: "/b" }, mode: 0o600 }] },
    ],
    [
      "know tasks with their times",
      [
        "system: { tasks: [{ name: t, command: [a, b], timeout: 5m }, { name: u, script: '#!/bin/sh', environment: { A: b } }] }",
      ],
      {
        tasks: [
          { name: "t", run: { kind: "command", words: ["a", "b"] }, timeoutMs: 300_000 },
          { name: "u", run: { kind: "script", text: "#!/bin/sh" }, timeoutMs: 600_000, environment: { A: "b" } },
        ],
      },
    ],
    [
      "know networks",
      [
        "system: { network: { interfaces: [{ name: eth0, addresses: [10.0.0.7/24] }], wifi: { country: CH, ssid: x, passphrase: secret-words } } }",
      ],
      {
        network: {
          interfaces: [{ name: "eth0", addresses: ["10.0.0.7/24"] }],
          wifi: { country: "CH", ssid: "x", passphrase: "secret-words" },
        },
      },
    ],
    [
      "fail with file, line and field of what is not known",
      ['system: { hostname: "{{ serial }}", timezone: "{{ labels.tz }}" }'],
      [
        '/p/0.yaml line 1 column 21: system.hostname: the template uses serial, which this node does not have; say what holds without it ({{ serial | default: "…" }}), or match only nodes that have it',
        '/p/0.yaml line 1 column 47: system.timezone: the template uses labels.tz, which this node does not have; say what holds without it ({{ labels.tz | default: "…" }}), or match only nodes that have it',
      ],
    ],
    [
      "fail when a number is none by then",
      ['system: { users: [{ name: a, uid: "{{ name }}" }] }'],
      [
        '/p/0.yaml line 1 column 35: system.users[0].uid: "pi-1" does not go here; give a whole number from 1 to 4294967293',
      ],
    ],
    [
      "fail when two entries have one name by then",
      ['system: { users: [{ name: pi-1 }, { name: "{{ name }}" }] }'],
      ['/p/0.yaml line 1 column 43: system.users[1].name: "pi-1" is there already; put both into one entry'],
    ],
    [
      "fail when they say too little together",
      [
        "system: { units: [{ name: a.service }], keyboard: { variant: x }, network: { wifi: { ssid: x } }, tasks: [{ name: t }], files: [{ path: /a }] }",
      ],
      [
        "/p/0.yaml line 1 column 129: system.files[0]: it says nothing of what is there; give content, contentFile, secretFile, secretFrom, link or folder: true",
        "/p/0.yaml line 1 column 107: system.tasks[0]: it says nothing to run; give command, script or scriptFile",
        "/p/0.yaml line 1 column 19: system.units[0]: it has no state; give enabled, disabled or masked",
        "/p/0.yaml line 1 column 51: system.keyboard: it has no layout; give one",
        "/p/0.yaml line 1 column 84: system.network.wifi: it needs a country and an ssid; give both",
      ],
    ],
    [
      "cannot make text without end",
      [
        `system: { hostname: "${"{% assign a = a | append: 'xxxxxxxxxx' | append: a %}".replace("a | append", "'x' | append")}${"{% assign a = a | append: a %}".repeat(40)}{{ a }}" }`,
      ],
      undefined,
    ],
    [
      "know nothing of JavaScript's own",
      ['system: { hostname: "{{ labels.constructor }}", timezone: "{{ name.length }}" }'],
      undefined,
    ],
  ] as const) {
    it(title, () => {
      const found = merged(...texts);
      if (expected !== undefined) assert.deepEqual(found, expected);
      else assert.ok(Array.isArray(found) && found.length > 0 && /template/.test(found.join()), JSON.stringify(found));
    });
  }

  it("have their time together, and not each of their templates", () => {
    const { system, profile } = parseProfile('system: { hostname: "{{ name }}", timezone: "{{ name }}" }', "/p/a.yaml");
    assert.ok(system);
    const left = [60_000, -1];
    const { problems } = renderTemplates(system, systemShape, values, () => left.shift() ?? 0);
    assert.deepEqual(
      problems.map(({ place, problem }) => [place.field, /render limit exceeded/.test(problem)]),
      [["system.timezone", true]],
    );
    assert.equal(renderProfiles(profile === undefined ? [] : [profile], values, -1).problems.length, 2);
  });
});
