import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Failure } from "../../../../../proto/failure.ts";
import type { TaskConfig } from "../../../../../proto/system/system-config.ts";
import { parseTasks } from "../../../../../proto/system/tasks/parse-tasks.ts";
import { renderTasks, withoutSecrets } from "../../../../../proto/system/tasks/render-tasks.ts";

const configDigest = "ab".repeat(32);
const join: TaskConfig = {
  name: "join",
  run: { kind: "script", text: '#!/bin/sh -e\nk3s agent --token-file "$PALLET_SECRETS/token"\n' },
  timeoutMs: 60_000,
  user: "ops",
  environment: { K3S_URL: "https://10.77.0.1:6443" },
  secrets: { token: "hunter2" },
};
const update: TaskConfig = { name: "update", run: { kind: "command", words: ["apt-get", "update"] }, timeoutMs: 1 };

const textWith = (task: object): string => JSON.stringify({ configDigest, tasks: [{ ...update, ...task }] });

describe("the tasks of an installed system", () => {
  it("are read as they were written", () => {
    const text = renderTasks([update, join], configDigest);
    assert.deepEqual(parseTasks(text), { configDigest, tasks: [update, join] });
    assert.ok(text.endsWith("}\n"));
  });

  it("lose the secrets of one task, and nothing else", () => {
    const { secrets: _, ...bare } = join;
    const file = { configDigest, tasks: [{ ...update, secrets: { key: "s" } }, join] };
    assert.deepEqual(withoutSecrets(file, "join"), { configDigest, tasks: [file.tasks[0], bare] });
    const without = { configDigest, tasks: [update, bare] };
    assert.equal(withoutSecrets(without, "join"), without);
    assert.equal(withoutSecrets(file, "unknown"), file);
  });

  for (const [title, text, message] of [
    ["what is not JSON", '{"secrets": "hunter2"', /broken: it is not JSON$/],
    ["a file that is too long", " ".repeat(1024 * 1024 + 1), /more than 1048576 characters/],
    ["a digest of another form", JSON.stringify({ configDigest: "AB", tasks: [] }), /64 hexadecimal digits/],
    ["no tasks at all", JSON.stringify({ configDigest }), /tasks/],
    ["two of one name", JSON.stringify({ configDigest, tasks: [update, update] }), /names of their own/],
    ["too many", JSON.stringify({ configDigest, tasks: Array.from({ length: 65 }, () => update) }), /tasks/],
    ["a key that it does not know", textWith({ when: "always" }), /when/],
    ["a name with a path in it", textWith({ name: "../join" }), /must be 1 to 63/],
    ["an empty name", textWith({ name: "" }), /must be 1 to 63/],
    ["an empty command", textWith({ run: { kind: "command", words: [] } }), /words/],
    ["a command without a program", textWith({ run: { kind: "command", words: ["", "x"] } }), /begin with a program/],
    ["a word with a NUL", textWith({ run: { kind: "command", words: ["a", "b\0c"] } }), /NUL/],
    ["a script without an interpreter", textWith({ run: { kind: "script", text: "echo" } }), /absolute path/],
    ["a script of a relative one", textWith({ run: { kind: "script", text: "#!sh\n" } }), /absolute path/],
    ["another kind of work", textWith({ run: { kind: "url", text: "#!/bin/sh" } }), /run/],
    ["no time", textWith({ timeoutMs: 0 }), /timeoutMs/],
    ["half a millisecond", textWith({ timeoutMs: 0.5 }), /timeoutMs/],
    ["more than a day", textWith({ timeoutMs: 86_400_001 }), /timeoutMs/],
    ["a user that is none", textWith({ user: "root:wheel" }), /useradd/],
    ["a variable that is none", textWith({ environment: { "A=B": "c" } }), /names of variables/],
    ["a variable of ours", textWith({ environment: { PALLET_SECRETS: "/" } }), /PALLET_/],
    ["a secret out of its folder", textWith({ secrets: { "../token": "hunter2" } }), /names of files/],
    ["a secret of a hidden name", textWith({ secrets: { "..": "hunter2" } }), /names of files/],
    ["a secret that is none", textWith({ secrets: { token: ["hunter2"] } }), /token/],
    ["a secret that is too long", textWith({ secrets: { token: "hunter2".repeat(4000) } }), /token/],
    ["null", "null", /broken/],
  ] as const) {
    it(`are refused with ${title}, and the refusal tells no secret`, () => {
      assert.throws(
        () => parseTasks(text),
        (error: unknown) => {
          assert.ok(error instanceof Failure && error.reason === "invalid");
          assert.match(error.message, message);
          assert.equal(error.cause, undefined);
          assert.doesNotMatch(error.message, /hunter2/);
          return true;
        },
      );
    });
  }
});
