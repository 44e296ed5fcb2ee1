// First-boot tasks from a profile to a configured node: planned, written with the card, run, reported.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

const profile = `system:
  tasks:
    - name: join
      script: |
        #!/bin/sh -e
        grep -qx "open.sesame" "$PALLET_SECRETS/token"
        echo "{{ name }} has joined" > /joined
      secretFiles: { token: secrets/token }
`;

describe("a profile's tasks", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    rack = await createRack({ nodes: 1 });
    const image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await mkdir(path.join(rack.folder, "profiles/secrets"), { recursive: true });
    await writeFile(path.join(rack.folder, "profiles/secrets/token"), "open sesame\n", { mode: 0o600 });
    await writeFile(path.join(rack.folder, "profiles/everyone.yaml"), profile);
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  it("make a node that runs them, and is configured", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      const refused = await rack.pallet("reimage", board.mac, "--yes", "--no-resident");
      assert.equal(refused.exitCode, 1);
      assert.match(refused.stdout + refused.stderr, /resident/);

      await rack.palletOk("reimage", board.mac, "--yes");
      assert.match(await rack.palletOk("tasks", "list"), /join +succeeded/);
      assert.match(await board.run("cat", ["/joined"]), /^node-\w+ has joined$/m);
      assert.match(await board.run("stat", ["-c", "%a %U", "/etc/pallet/tasks.json"]), /^600 /);
      assert.doesNotMatch(await board.run("cat", ["/etc/pallet/tasks.json"]), /open sesame/);
      assert.doesNotMatch(board.console.text(), /open sesame/);
      for (const told of [
        await rack.palletOk("node", "logs", board.mac, "--json"),
        await rack.palletOk("events", "--json"),
      ])
        assert.doesNotMatch(told, /open sesame/);
    }),
  );
});
