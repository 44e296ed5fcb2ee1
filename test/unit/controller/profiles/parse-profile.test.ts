import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderProblem } from "../../../../controller/profiles/located.ts";
import { parseProfile } from "../../../../controller/profiles/parse-profile.ts";

const file = "/etc/pallet/profiles/workers.yaml";

function problemsOf(text: string): string[] {
  return parseProfile(text, file).problems.map(renderProblem);
}

describe("parseProfile", () => {
  it("reads a profile, and takes its name from its file", () => {
    const { profile, problems } = parseProfile(
      'match: { labels: "rack=a,role in (db, web)", name: "pi-*" }\npriority: 10\nsystem:\n  hostname: "{{ name }}"\n',
      file,
    );
    assert.deepEqual(problems, []);
    assert.equal(profile?.name, "workers");
    assert.equal(profile?.priority, 10);
    assert.equal(profile?.matchText, "labels rack=a,role in (db, web) and name pi-*");
    assert.deepEqual(profile?.match.labels, [
      { kind: "in", key: "rack", values: ["a"] },
      { kind: "in", key: "role", values: ["db", "web"] },
    ]);
  });

  it("is for every node when it says nothing of them", () => {
    const { profile } = parseProfile("system: {}\n", file);
    assert.deepEqual(profile?.match, {});
    assert.equal(profile?.priority, 0);
  });

  it("tells all problems at once, each with its line, column and field", () => {
    assert.deepEqual(
      problemsOf(`name: Workers
match:
  labels: "rack > 3"
  model: "{{ model }}"
sytem: {}
system:
  hostname: 7
  users:
    - name: ada
      uid: many
      sudo: yes
      passwordHash: "$6$x"
      passwordHashFile: secret/ada
    - name: ada
    - shell: /bin/sh
  files:
    - path: /etc/motd
      mode: 0644
      content: a
      link: b
  timezone: "{{ labels.tz | nonsense }}"
  locale: "{{ name"
  ssh: [enabled]
`),
      [
        `${file} line 1 column 7: name: "Workers" does not go here; give a name of small letters, digits, - and _`,
        `${file} line 4 column 10: match.model: a template does not go here: it is read before a node is chosen`,
        `${file} line 5 column 8: sytem: there is no such field here; did you mean "system"?`,
        `${file} line 7 column 13: system.hostname: 7 does not go here; give a host name, in quotes`,
        `${file} line 10 column 12: system.users[0].uid: "many" does not go here; give a whole number from 1 to 4294967293`,
        `${file} line 11 column 13: system.users[0].sudo: "yes" does not go here; give one of password, no-password`,
        `${file} line 9 column 7: system.users[0]: passwordHash and passwordHashFile exclude each other; give one of them`,
        `${file} line 15 column 7: system.users[2]: it has no name; give one`,
        `${file} line 14 column 13: system.users[1].name: "ada" is there already; put both into one entry`,
        `${file} line 18 column 13: system.files[0].mode: 644 does not go here; give permission bits such as "0644", in quotes`,
        `${file} line 17 column 7: system.files[0]: content and link exclude each other; give one of them`,
        `${file} line 23 column 8: system.ssh: a list does not go here; give a map of fields, indented below it`,
        `${file} line 21 column 13: system.timezone: the template has the filter nonsense; the filters are append, prepend, capitalize, downcase, upcase, strip, lstrip, rstrip, slice, truncate, size, remove, remove_first, remove_last, replace, replace_first, replace_last, split, join, first, last, abs, at_least, at_most, ceil, divided_by, floor, minus, modulo, plus, round, times, default, json, url_encode, to_integer, sha256`,
        `${file} line 22 column 11: system.locale: the template is not one of Liquid: output "{{ name" not closed`,
        `${file} line 3 column 11: match.labels: the label selector "rack > 3" cannot be read: "rack > 3": numbers are not compared; write it like "rack=a", "rack!=a", "rack in (a, b)", "rack notin (a, b)", "rack" or "!rack", joined by commas`,
      ],
    );
  });

  for (const [title, text, says] of [
    ["no fields", "- a\n", /the file has no fields/],
    ["nothing", "", /the file has no fields/],
    ["a key twice", "priority: 1\npriority: 2\n", /line 2 column 1: a key appears twice; delete one/],
    ["anchors", "system: &a { hostname: x }\nmatch: *a\n", /anchors and aliases are not read/],
    ["fields that are no text", "system: { 1: x }\n", /the name of a field is text/],
    ["a file outside of its folder", 'system: { files: [{ path: /a, contentFile: "../x" }] }\n', undefined],
    [
      "more than it may hold within itself",
      `system: ${"{a: ".repeat(40)}${"}".repeat(40)}\n`,
      /more than 16 levels deep/,
    ],
    [
      "a task without a name of a variable",
      "system: { tasks: [{ name: a, command: [x], environment: { 'A B': c } }] }\n",
      /"A B": give names of letters/,
    ],
    ["the tag of a loop", 'system: { hostname: "{% for i in (1..9) %}{% endfor %}" }\n', /the template .*for/],
    ["an include", `system: { hostname: "{% include '/etc/shadow' %}" }\n`, /the template .*include/],
    ["too long a template", `system: { hostname: "{{ name }}${"x".repeat(65_536)}" }\n`, /limit exceeded/],
    ["a name that is none", "system: {}\n", undefined],
    ["a second document", "system: {}\n---\nsystem: {}\n", /line 2 column 1: a second document begins here/],
    ["lists within lists", `system: ${"[".repeat(2000)}\n`, /it is nested too deep/],
  ] as const) {
    if (says === undefined) continue;
    it(`refuses ${title}`, () => {
      assert.match(problemsOf(text).join("\n"), says);
    });
  }

  for (const [title, text, says] of [
    ["of another type", "passwordHash: 12345canary1\n      groups: [1]", /groups/],
    ["that is a number", "passwordHash: 12345", /users\[0\]\.passwordHash: what is written does not go here/],
    [
      "that begins like a template",
      'passwordHash: "x{{canary"',
      /passwordHash: it has a template that is wrong.*goes into a file/,
    ],
    ["with a tag of templates", 'passwordHash: "{% canary %}"', /passwordHash: it has a template that is wrong/],
    [
      "with a filter of templates",
      `passwordHash: "{{ 'a' | canary }}"`,
      /passwordHash: it has a template that is wrong/,
    ],
    ["in a field that is none", 'passwordHsh: "{{canary"', /passwordHsh: there is no such field here/],
    ["that is an alias to YAML", "passwordHash: *canary", /a text that begins with \* into quotes/],
    ["that is a tag to YAML", "passwordHash: !canary", /what begins with ! .* quotes/],
    ["that YAML does not know", "passwordHash: '$y$'canary", /line 4 column 26/],
  ] as const) {
    it(`says nothing of a secret ${title}`, () => {
      const problems = problemsOf(`system:\n  users:\n    - name: ada\n      ${text}\n`).join("\n");
      assert.match(problems, says);
      assert.doesNotMatch(problems, /12345|canary/);
    });
  }

  it("wants a name where the file's is none", () => {
    const { problems } = parseProfile("system: {}\n", "/etc/pallet/profiles/Über.yaml");
    assert.match(problems.map(renderProblem).join(), /its name "Über" is none for a profile/);
  });
});
