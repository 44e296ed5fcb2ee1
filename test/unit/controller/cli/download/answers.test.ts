import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AnswerHead } from "../../../../../controller/cli/download/answer-head.ts";
import { judgeContinuation, planContinuation } from "../../../../../controller/cli/download/judge-continuation.ts";
import { type Begun, judgeFirstAnswer } from "../../../../../controller/cli/download/judge-first-answer.ts";
import { parseContentRange } from "../../../../../controller/cli/download/parse-content-range.ts";
import { parseWebAddress, shownAddress } from "../../../../../controller/cli/download/parse-web-address.ts";
import { planRedirect } from "../../../../../controller/cli/download/plan-redirect.ts";
import { Failure } from "../../../../../proto/failure.ts";

const shown = "https://host/a.img.xz";
const [old, now, recent] = [
  "Thu, 01 Jan 2026 00:00:00 GMT",
  "Thu, 01 Jan 2026 00:10:00 GMT",
  "Thu, 01 Jan 2026 00:10:00 GMT",
];
const head = (statusCode: number, headers: AnswerHead["headers"] = {}): AnswerHead => ({ statusCode, headers });
const expected = { shown, mostBytes: 1000, isVouched: false };
const refusedWith = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure);
  assert.equal(error.reason, "fetch-failed");
  assert.match(error.message, message);
  return true;
};

describe("the first answer", () => {
  const version = { shown, totalBytes: 100, etag: undefined, lastModified: undefined, validator: undefined };
  const dates = { "last-modified": old, date: now };
  for (const [title, headers, begun] of [
    ["has a strong entity tag", { etag: '"1"', ...dates }, { etag: '"1"', lastModified: old, validator: '"1"' }],
    ["has a weak one, which If-Range must not name", { etag: 'W/"1"', ...dates }, { etag: 'W/"1"', lastModified: old }],
    ["has no tag, and a date that is old enough", dates, { lastModified: old, validator: old }],
    ["has a date of the same second", { "last-modified": recent, date: now }, { lastModified: recent }],
    ["has a date, and no clock", { "last-modified": old }, { lastModified: old }],
    ["has nothing", {}, {}],
  ] as const)
    it(title, () => {
      assert.deepEqual(judgeFirstAnswer(head(200, { "content-length": "100", ...headers }), expected), {
        ...version,
        ...begun,
      });
    });

  it("may leave the length open if its end can be seen, or a digest vouches for it", () => {
    const chunked = head(200, { "transfer-encoding": "chunked" });
    assert.equal(judgeFirstAnswer(chunked, expected).totalBytes, undefined);
    assert.equal(judgeFirstAnswer(head(200), { ...expected, isVouched: true }).totalBytes, undefined);
  });

  for (const [title, answer, message] of [
    ["404", head(404), /cannot fetch https:\/\/host\/a\.img\.xz: .*404, there is no such file: check the address/],
    ["410", head(410), /no such file/],
    ["401", head(401), /refuses access: .*curl --netrc/],
    ["403", head(403), /refuses access/],
    ["503", head(503), /503: try again later/],
    ["a part that nobody asked for", head(206, { "content-range": "bytes 0-1/2" }), /206, which is not the file/],
    ["304", head(304), /304, which is not the file/],
    ["a web page", head(200, { "content-type": "text/html; charset=utf-8" }), /is a web page .* download link/],
    ["too much", head(200, { "content-length": "1001" }), /too large: it may have at most 1000 bytes/],
    ["a length beyond all numbers", head(200, { "content-length": "9".repeat(400) }), /too large/],
    ["nothing", head(200, { "content-length": "0" }), /is empty/],
    ["an end that cannot be told from a break", head(200), /does not say how long .*--sha256/],
  ] as const)
    it(`is refused when it is ${title}`, () => {
      assert.throws(() => judgeFirstAnswer(answer, expected), refusedWith(message));
    });
});

describe("a transfer that broke", () => {
  const begun: Begun = { shown, totalBytes: 100, etag: '"1"', lastModified: old, validator: '"1"' };
  const part = { "content-range": "bytes 40-99/100", etag: '"1"', "last-modified": old };

  it("is asked for from where it was, of the same version", () => {
    assert.deepEqual(planContinuation(begun, 40), { range: "bytes=40-", "if-range": '"1"' });
  });
  it("is asked for as at first when nothing had come, and there is nothing to tell the version by", () => {
    assert.deepEqual(planContinuation({ ...begun, validator: undefined }, 0), {});
  });
  it("cannot go on when another version could not be told from this one", () => {
    assert.throws(
      () => planContinuation({ ...begun, validator: undefined }, 40),
      refusedWith(/after 40 bytes, and cannot go on: its server sends no strong ETag .*curl -fLO URL/),
    );
  });

  for (const [title, answer, reached] of [
    ["the rest comes", head(206, part), 40],
    ["a part of the rest comes", head(206, { ...part, "content-range": "bytes 40-59/100" }), 40],
    ["the length is not told again", head(206, { ...part, "content-range": "bytes 40-99/*" }), 40],
    ["all of it comes, of which nothing had come", head(200, { "content-length": "100", etag: '"1"' }), 0],
  ] as const)
    it(`goes on when ${title}`, () => assert.equal(judgeContinuation(answer, begun, reached), "goes-on"));

  for (const status of [408, 425, 429, 500, 502, 503, 504])
    it(`is tried again later after ${status}`, () => assert.equal(judgeContinuation(head(status), begun, 40), "later"));

  const replaced = /was replaced on its server .* run this command again/;
  const other = /asked to go on from byte 40, and sends something else.*curl/;
  for (const [title, answer, message] of [
    ["another tag", head(206, { ...part, etag: '"2"' }), replaced],
    ["another date", head(206, { ...part, "last-modified": now }), replaced],
    ["all of another version", head(200, { etag: '"2"' }), replaced],
    ["all of it with another length", head(200, { etag: '"1"', "content-length": "90" }), replaced],
    ["no such range", head(416, { "content-range": "bytes */30" }), replaced],
    ["all of it from the beginning", head(200, { etag: '"1"' }), /cannot go on from there: .* with the whole file/],
    ["404", head(404), /broke off after 40 bytes, and then its server answered 404/],
    ["a redirect that is none", head(304), /answered 304/],
    ["another part", head(206, { ...part, "content-range": "bytes 0-99/100" }), other],
    ["another length", head(206, { ...part, "content-range": "bytes 40-99/200" }), other],
    ["more than there is", head(206, { ...part, "content-range": "bytes 40-100/*" }), other],
    ["no range", head(206, { etag: '"1"' }), other],
    ["several parts", head(206, { etag: '"1"', "content-type": "multipart/byteranges; boundary=a" }), other],
  ] as const)
    it(`is given up when the answer has ${title}`, () => {
      assert.throws(() => judgeContinuation(answer, begun, 40), refusedWith(message));
    });
});

describe("Content-Range", () => {
  for (const [text, range] of [
    ["bytes 0-9/10", { first: 0, last: 9, totalBytes: 10 }],
    ["bytes 5-9/*", { first: 5, last: 9, totalBytes: undefined }],
    ["BYTES 5-9/10 ", { first: 5, last: 9, totalBytes: 10 }],
    ["bytes */10", undefined],
    ["bytes 9-5/10", undefined],
    ["bytes 0-10/10", undefined],
    ["bytes 0-9", undefined],
    ["bytes -1-9/10", undefined],
    ["bytes 0-9999999999999999/*", undefined],
    ["items 0-9/10", undefined],
    ["", undefined],
  ] as const)
    it(text || "(none)", () => assert.deepEqual(parseContentRange(text), range));
});

describe("a redirect", () => {
  const from = new URL("https://host/dir/a.img?key=secret");
  for (const [location, to] of [
    ["https://mirror/a.img", "https://mirror/a.img"],
    ["/b.img", "https://host/b.img"],
    ["b.img", "https://host/dir/b.img"],
    ["//mirror/b.img", "https://mirror/b.img"],
  ] as const)
    it(`to ${location} is followed`, () => assert.equal(planRedirect(head(302, { location }), from, 0)?.href, to));

  it("is no other answer", () => {
    assert.equal(planRedirect(head(200, { location: "/b" }), from, 0), undefined);
    assert.equal(planRedirect(head(304, { location: "/b" }), from, 0), undefined);
  });
  it("may lead from http to https", () => {
    const next = planRedirect(head(301, { location: "https://host/a" }), new URL("http://host/a"), 7);
    assert.equal(next?.href, "https://host/a");
  });

  for (const [title, location, followed, message] of [
    ["from https to http", "http://mirror/a?b=c", 0, /from https to http, http:\/\/mirror\/a\?…,/],
    ["to credentials", "https://user:secret@mirror/a", 0, /to an address with credentials/],
    ["to what is too long", `https://mirror/${"a".repeat(5000)}`, 0, /one that is too long/],
    ["to another scheme", "ftp://mirror/a", 0, /neither http nor https/],
    ["to a file", "file:///etc/passwd", 0, /neither http nor https/],
    ["to nowhere", undefined, 0, /without saying where to/],
    ["to what is no address", "https://[", 0, /without saying where to/],
    ["once too often", "/b", 8, /in circles, or more than 8 times/],
  ] as const)
    it(`${title} is refused`, () => {
      assert.throws(
        () => planRedirect(head(307, { location }), from, followed),
        (error) => refusedWith(message)(error) && !/secret/.test((error as Error).message),
      );
    });
});

describe("an address", () => {
  it("is shown without what could be a secret", () => {
    assert.equal(
      shownAddress(parseWebAddress("HTTPS://Host:443/a%20b.img?X-Signature=s#f")),
      "https://host/a%20b.img?…",
    );
  });
  for (const [text, message] of [
    ["https://user:hunter2@host/a", /^https:\/\/host\/a was given with credentials, .*curl --netrc/],
    ["https://hunter2@host/a", /was given with credentials/],
    ["https://user:hunter2@:99999/a", /is no address of a file/],
    ["http://", /is no address of a file/],
    ["ftp://host/a", /is no address of a file/],
    [`https://host/${"hunter2".repeat(1000)}`, /has 7013 characters; the most is 4096/],
  ] as const)
    it(`${text.slice(0, 40)} is refused, and no password repeated`, () => {
      assert.throws(
        () => parseWebAddress(text),
        (error) => {
          assert.ok(error instanceof Failure);
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /hunter2/);
          return true;
        },
      );
    });
});
