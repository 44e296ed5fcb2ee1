import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHookSecret } from "../../../../controller/hooks/parse-hook-secret.ts";
import { signWebhook } from "../../../../controller/hooks/sign-webhook.ts";

/** Of the tests of Standard Webhooks' own libraries: libraries/javascript/src/webhook.test.ts, "sign function works". */
test("a webhook is signed as the libraries of Standard Webhooks sign", () => {
  const secret = parseHookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const headers = signWebhook("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_999, '{"test": 2432232314}', secret);
  assert.deepEqual(headers, {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

const base64 = (bytes: number): string => Buffer.alloc(bytes, 7).toString("base64");

test("a secret is 24 to 64 bytes in the form that Standard Webhooks has", () => {
  for (const bytes of [24, 32, 64]) assert.equal(parseHookSecret(`whsec_${base64(bytes)}\n`).length, bytes);
});

for (const [title, text, message] of [
  ["nothing", "", /^it is not one line of "whsec_" and base64; make one: /],
  ["a password", "hunter2", /not one line/],
  ["two lines", `whsec_${base64(32)}\nwhsec_${base64(32)}\n`, /not one line/],
  ["a secret that is too short", `whsec_${base64(23)}`, /has 23 bytes; it has to have 24 to 64/],
  ["a secret that is too long", `whsec_${base64(65)}`, /has 65 bytes/],
] as const)
  test(`${title} is no secret, and is not repeated`, () => {
    assert.throws(
      () => parseHookSecret(text),
      (error: Error) => message.test(error.message) && (text === "" || !error.message.includes(text)),
    );
  });
