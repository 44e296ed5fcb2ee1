import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseGivenValues } from "../../../../controller/hooks/parse-given-values.ts";
import { Failure } from "../../../../proto/failure.ts";
import { limits } from "../../../../proto/limits.ts";

const gives = { values: ["server_url"], secrets: ["join_token"] };
const values = { server_url: "https://10.0.0.1:6443" };
const secrets = { join_token: "K10canary::server:one" };
const most = limits.hooks.valueCharacters.most;

describe("what a hook answers", () => {
  for (const [title, answer] of [
    ["with exactly what its gives names", JSON.stringify({ values, secrets })],
    ["over several lines", `\n${JSON.stringify({ secrets, values }, null, 2)}\n\n`],
  ] as const)
    it(`${title} is taken`, () => assert.deepEqual(parseGivenValues(gives, answer), { values, secrets }));

  it("may leave out the half of which nothing is given", () => {
    const only = { values: [], secrets: ["join_token"] };
    assert.deepEqual(parseGivenValues(only, JSON.stringify({ secrets })), { values: {}, secrets });
    assert.deepEqual(parseGivenValues(only, JSON.stringify({ secrets, values: {} })), { values: {}, secrets });
  });

  it("may be as long as it says", () => {
    const joinToken = "x".repeat(most);
    assert.deepEqual(
      parseGivenValues(gives, JSON.stringify({ values, secrets: { join_token: joinToken } })).secrets["join_token"]
        ?.length,
      most,
    );
  });

  for (const [title, answer, says] of [
    ["nothing", " \n", /answered nothing; it has to answer \{"values"/],
    ["talk", "canary is the token", /did not answer with JSON alone; .* standard error$/],
    ["JSON and talk", `${JSON.stringify({ values, secrets })}\ndone: canary`, /did not answer with JSON alone/],
    ["a list", '["canary"]', /JSON of another shape/],
    ["null", "null", /JSON of another shape/],
    ["another field", JSON.stringify({ values, secrets, canary: 1 }), /other fields than "values" and "secrets"/],
    ["a list of values", '{"values": ["canary"], "secrets": {}}', /its values are no map of names to texts/],
    [
      "more than it should",
      JSON.stringify({ values: { ...values, canary: "x" }, secrets }),
      /values that its "gives" does not name/,
    ],
    ["less", JSON.stringify({ values }), /did not give the secret join_token, which its "gives" names$/],
    [
      "the inherited",
      '{"values": {"server_url": "x", "__proto__": {"canary": "x"}}, "secrets": {}}',
      /values that its "gives" does not name/,
    ],
    [
      "a number",
      '{"values": {"server_url": 1}, "secrets": {"join_token": "canary"}}',
      /the value server_url, which is no text; put it in quotes$/,
    ],
    [
      "an empty secret",
      '{"values": {"server_url": "x"}, "secrets": {"join_token": ""}}',
      /the secret join_token, which is empty$/,
    ],
    [
      "a NUL",
      JSON.stringify({ values, secrets: { join_token: "canary\0" } }),
      /the secret join_token, which has a NUL$/,
    ],
    [
      "too much",
      JSON.stringify({ values, secrets: { join_token: `canary${"x".repeat(most)}` } }),
      /has 16390 characters; it may have at most 16384$/,
    ],
  ] as const)
    it(`with ${title} is refused, and not repeated`, () => {
      assert.throws(
        () => parseGivenValues(gives, answer),
        (error) => {
          assert.ok(error instanceof Failure);
          assert.equal(error.reason, "hook-failed");
          assert.match(error.message, says);
          assert.doesNotMatch(JSON.stringify([error.message, error.evidence, String(error.cause)]), /canary/);
          return true;
        },
      );
    });
});
