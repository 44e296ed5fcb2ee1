// The profile of the documentation: it is taken as it is printed, and says what is said of it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderConfig } from "../../../../controller/profiles/describe-config.ts";
import { createProfileFolder } from "../../../../controller/profiles/profile-folder.ts";
import { Failure } from "../../../../proto/failure.ts";
import { assertGolden } from "../../../golden.ts";
import { readBlock } from "../../../rack/documented/read-documentation.ts";
import { aNode } from "../boot/a-node.ts";
import { aFolderOfProfiles } from "./a-folder-of-profiles.ts";

const key = `ssh-ed25519 ${Buffer.from(`\0\0\0\x0bssh-ed25519\0\0\0 ${"k".repeat(32)}`, "latin1").toString("base64")}`;

describe("the documented profile", () => {
  it("makes a node what is said of it", async (test) => {
    const { text } = await readBlock("profile");
    const directory = await aFolderOfProfiles(test, {
      "workers.yaml": text,
      "keys/ada.pub": `${key} ada\n`,
      "files/worker.conf": "workers = 4\n",
      "files/join.sh": "#!/bin/sh\nexec join\n",
      "secrets/ada": "$6$salt$UxM4rkJUfRqz4sKBuoRYOTXKvxbWpm2PmUzcvtWcIPMzeuZkBCmoIRABZbXdRANSfJvuQ2PmLPZDZfeRTVhOW1\n",
      "secrets/token": "canary\n",
    });
    const set = await createProfileFolder(directory, new Uint8Array(32)).read();
    const node = aNode({ name: "pi-7", index: 7, labels: { rack: "a", role: "db" } });
    const system = await set.systemFor(node, "debian");
    if (system instanceof Failure) throw system;
    assert.ok(system !== undefined);
    const shown = renderConfig(system.config);
    assert.doesNotMatch(shown, /canary|\$6\$/);
    assertGolden("profiles/documented.yaml", shown);
    for (const other of [{ name: "db-7" }, { labels: { rack: "b", role: "db" } }, { labels: { rack: "a" } }])
      assert.equal(await set.systemFor({ ...node, ...other }, "debian"), undefined);
  });
});
