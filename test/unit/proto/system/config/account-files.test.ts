import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  withGroupEntries,
  withGshadowEntries,
  withPasswdEntry,
  withShadowEntry,
  withSubordinates,
} from "../../../../../proto/system/config/account-files.ts";

const about = { group: "root:x:0:\n", hasShadow: true, shell: "/bin/bash" };

describe("withPasswdEntry", () => {
  const cases: readonly (readonly [
    string,
    string,
    Parameters<typeof withPasswdEntry>[1],
    Partial<typeof about>,
    string,
  ])[] = [
    [
      "takes the first free number",
      "a:x:1000:1000::/:/bin/sh\n",
      { name: "b" },
      {},
      "a:x:1000:1000::/:/bin/sh\nb:x:1001:1001::/home/b:/bin/bash\n",
    ],
    [
      "leaves numbers of groups alone",
      "",
      { name: "b" },
      { group: "g:x:1000:\n" },
      "b:x:1001:1001::/home/b:/bin/bash\n",
    ],
    ["joins the group of its name", "", { name: "b" }, { group: "b:x:500:\n" }, "b:x:1000:500::/home/b:/bin/bash\n"],
    ["takes the number that it is given", "", { name: "b", uid: 5000 }, {}, "b:x:5000:5000::/home/b:/bin/bash\n"],
    [
      "gives another group where that number is one's",
      "",
      { name: "b", uid: 5000 },
      { group: "g:x:5000:\n" },
      "b:x:5000:1000::/home/b:/bin/bash\n",
    ],
    [
      "changes one that is there, and nothing else of it",
      "b:x:7:8:Old:/b:/bin/sh",
      { name: "b", fullName: "New" },
      {},
      "b:x:7:8:New:/b:/bin/sh\n",
    ],
    [
      "stays as it is when there is nothing to change",
      "b:x:7:8:Old:/b:/bin/sh",
      { name: "b" },
      {},
      "b:x:7:8:Old:/b:/bin/sh",
    ],
    [
      "has the password itself where there is no shadow",
      "",
      { name: "b", passwordHash: "$6$a" },
      { hasShadow: false },
      "b:$6$a:1000:1000::/home/b:/bin/bash\n",
    ],
    [
      "points to shadow when a password is set",
      "b::7:8::/b:/bin/sh\n",
      { name: "b", passwordHash: "$6$a" },
      {},
      "b:x:7:8::/b:/bin/sh\n",
    ],
    [
      "comes before the lines of NIS",
      "a:x:1:1::/:/bin/sh\n+::::::\n",
      { name: "b" },
      {},
      "a:x:1:1::/:/bin/sh\nb:x:1000:1000::/home/b:/bin/bash\n+::::::\n",
    ],
    [
      "ignores what only looks like it",
      "# b:x:1000:\nb\n",
      { name: "b" },
      {},
      "# b:x:1000:\nb\nb:x:1000:1000::/home/b:/bin/bash\n",
    ],
  ];
  for (const [what, text, user, other, expected] of cases)
    it(what, () => {
      const once = withPasswdEntry(text, user, { ...about, ...other });
      assert.equal(once, expected);
      assert.equal(withPasswdEntry(once, user, { ...about, ...other }), once);
    });

  it("refuses a number of another's, another number, a zero, and a full house", () => {
    const full = Array.from({ length: 59_001 }, (_, index) => `u${index}:x:${index + 1000}:1::/:/bin/sh\n`).join("");
    for (const [text, user, message] of [
      ["a:x:7:7::/:/bin/sh\n", { name: "b", uid: 7 }, /cannot have uid 7: in the image it is that of a/],
      ["b:x:7:7::/:/bin/sh\n", { name: "b", uid: 8 }, /has uid 7 in the image, which cannot become 8/],
      ["b:x:7\0", { name: "b" }, /NUL byte/],
      [full, { name: "b" }, /no free number/],
    ] as const)
      assert.throws(() => withPasswdEntry(text, user, about), message);
  });
});

describe("withShadowEntry", () => {
  for (const [what, text, user, expected] of [
    ["lets no password in unless one is given", "", { name: "b" }, "b:*::0:99999:7:::\n"],
    ["sets the password", "b:!:1:0:99999:7:::\n", { name: "b", passwordHash: "$y$a" }, "b:$y$a:1:0:99999:7:::\n"],
    [
      "asks for no new password in place of the one given",
      "b:!:0:0:99999:7:::\n",
      { name: "b", passwordHash: "$y$a" },
      "b:$y$a::0:99999:7:::\n",
    ],
    [
      "unlocks what has no password, for a key",
      "b:!*:1::::::\n",
      { name: "b", authorizedKeys: ["k"] },
      "b:*:1::::::\n",
    ],
    ["leaves a locked password alone", "b:!$6$a:1::::::\n", { name: "b", authorizedKeys: ["k"] }, "b:!$6$a:1::::::\n"],
  ] as const)
    it(what, () => {
      assert.equal(withShadowEntry(text, user), expected);
      assert.equal(withShadowEntry(expected, user), expected);
    });
});

describe("groups", () => {
  it("get the user's own, and the user", () => {
    const user = { name: "b", groups: ["sudo", "video"] };
    const passwd = "b:x:1000:1000::/home/b:/bin/sh\n";
    const group = withGroupEntries("sudo:x:27:a\nvideo:x:44:\n", user, passwd);
    assert.equal(group, "sudo:x:27:a,b\nvideo:x:44:b\nb:x:1000:\n");
    assert.equal(withGroupEntries(group, user, passwd), group);
    const gshadow = withGshadowEntries("sudo:*::\n", user, group);
    assert.equal(gshadow, "sudo:*::b\nb:!::\n");
    assert.equal(withGshadowEntries(gshadow, user, group), gshadow);
  });

  it("are not made where the user's number has one", () => {
    assert.equal(withGroupEntries("users:x:100:\n", { name: "b" }, "b:x:1:100::/:/bin/sh\n"), "users:x:100:\n");
  });
});

describe("withSubordinates", () => {
  it("comes behind those of all others", () => {
    const once = withSubordinates("a:100000:65536\nbroken\n", "b", "/etc/subuid");
    assert.equal(once, "a:100000:65536\nbroken\nb:165536:65536\n");
    assert.equal(withSubordinates(once, "b", "/etc/subuid"), once);
  });
});
