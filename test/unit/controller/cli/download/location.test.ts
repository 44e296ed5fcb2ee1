import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Location,
  locationOf,
  resolveReference,
  shownLocation,
} from "../../../../../controller/cli/download/location.ts";
import { Failure } from "../../../../../proto/failure.ts";

const file: Location = { kind: "file", path: "/srv/images/os_list.json" };
const web: Location = { kind: "web", url: new URL("https://host/lists/os_list.json?v=4") };

describe("what an operator gives", () => {
  it("is an address or a path", () => {
    assert.deepEqual(locationOf("dir/a b.img"), { kind: "file", path: "dir/a b.img" });
    assert.equal(shownLocation(locationOf("HTTP://Host/a?b")), "http://host/a?…");
  });
  for (const text of ["ftp://host/a", "file:///a", "s3://bucket/a"])
    it(`may not be ${text}`, () => assert.throws(() => locationOf(text), /is neither a path nor http or https/));
});

describe("what a list names", () => {
  for (const [base, reference, found] of [
    [web, "sub.json", "https://host/lists/sub.json"],
    [web, "/sub.json", "https://host/sub.json"],
    [web, "//mirror/sub.json", "https://mirror/sub.json"],
    [web, "http://other/a", "http://other/a"],
    [file, "https://other/a", "https://other/a"],
    [file, "sub/list.json", "/srv/images/sub/list.json"],
    [file, "a b%20c.img", "/srv/images/a b%20c.img"],
    [file, "/srv/images/a.img", "/srv/images/a.img"],
    [file, "file:///srv/images/a%20b.img", "/srv/images/a b.img"],
  ] as const)
    it(`${reference}, beside ${shownLocation(base)}, is ${found}`, () =>
      assert.equal(shownLocation(resolveReference(base, reference)), found));

  for (const [base, reference, message] of [
    [web, "file:///etc/passwd", /no address on a web server/],
    [web, "internal://format", /no address on a web server/],
    [web, "https://me:secret@host/a", /with credentials/],
    [web, "//me:secret@host/a", /with credentials/],
    [file, "../a.img", /not in its folder/],
    [file, "/etc/passwd", /not in its folder/],
    [file, "sub/../../etc", /not in its folder/],
    [file, "file:///etc/passwd", /not in its folder/],
    [file, "file://host/etc/passwd", /no path/],
    [file, "file:///srv/images/%2e%2e/%2Fa", /no path|not in its folder/],
    [file, ".", /not in its folder/],
    [file, "a\0b", /not in its folder/],
    [file, "internal://format", /begins with "internal:"/],
  ] as const)
    it(`${JSON.stringify(reference)}, beside ${shownLocation(base)}, is refused`, () => {
      assert.throws(
        () => resolveReference(base, reference),
        (error) => {
          assert.ok(error instanceof Failure);
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
});
