// First-boot tasks of systems on simulated Pis: one node's succeed, another's fail until the cause is mended.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ConfigurationState } from "../../proto/gen/pallet/v1/rollout.ts";
import { renderTasks } from "../../proto/system/tasks/render-tasks.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

const configDigest = "ab".repeat(32);
const tasks = renderTasks(
  [
    {
      ...{ name: "greet", timeoutMs: 60_000, secrets: { token: "open sesame" } },
      run: {
        kind: "script",
        text: '#!/bin/sh -e\necho "hello from $(hostname)"\ntest -s "$PALLET_SECRETS/token"\ncount=$(cat /greeted 2>/dev/null || echo 0)\necho $((count + 1)) > /greeted\n',
      },
    },
    {
      ...{ name: "join", timeoutMs: 60_000, secrets: { token: "open sesame" } },
      run: {
        kind: "script",
        text: '#!/bin/sh -e\ncat "$PALLET_SECRETS/token"\ntest -e /mended || { echo "the cluster is not there"; exit 7; }\n',
      },
    },
  ],
  configDigest,
);

describe("first-boot tasks", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    rack = await createRack({ nodes: 2 });
    // What places a config's tasks on the card is not under test here. The first board's cluster is there.
    const image = await makeTinyImage({
      folder: rack.folder,
      name: "image",
      files: { "etc/pallet/tasks.json": { text: tasks, mode: 0o600 } },
      firstBoot: `test "$(cat /sys/class/net/*/address | grep -c ${rack.board(1).mac})" = 0 || touch /mended\n`,
    });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  it(
    "make a proved node a configured one, or fail with their evidence, and are tried again",
    { timeout: 600_000 },
    () =>
      tell(rack, async () => {
        const [good, bad] = [rack.board(1), rack.board(2)];
        const { exitCode, stdout } = await rack.pallet("reimage", "--all", "--image", "image", "--yes");
        assert.equal(exitCode, 1, stdout);
        const [rollout] = await rack.client.rollouts();
        const of = (mac: string) => rollout?.reimages.find(({ nodeId }) => nodeId === mac);
        for (const { mac } of [good, bad]) assert.ok(of(mac)?.proof, "the proof stands whatever comes of the tasks");
        assert.equal(of(good.mac)?.configuration?.state, ConfigurationState.CONFIGURATION_STATE_CONFIGURED);
        assert.equal(of(bad.mac)?.configuration?.state, ConfigurationState.CONFIGURATION_STATE_FAILED);

        const shown = await rack.palletOk("rollout", "show", rollout?.rolloutId ?? "");
        assert.match(shown, /configured/);
        assert.match(shown, /its task join failed: exit code 7/);
        assert.match(shown, /the cluster is not there/);
        assert.match(await rack.palletOk("tasks", "list"), /join +failed +1 +exit code 7/);
        assert.match(await rack.palletOk("node", "show", bad.mac), /tasks +1 of 2 succeeded; join failed: exit code 7/);
        assert.match(await rack.palletOk("node", "logs", bad.mac), /task join failed: exit code 7/);
        assert.equal((await rack.palletOk("nodes", "--failed", "-o", "name")).trim(), of(bad.mac)?.nodeName);

        const again = await rack.pallet("tasks", "retry", good.mac);
        assert.match(again.stderr, /no task of this system has failed/);

        await bad.run("touch", ["/mended"]);
        await rack.palletOk("tasks", "retry", bad.mac);
        await rack.client.event(({ type, nodeId }) => type === "reimage-configured" && nodeId === bad.mac);
        const [later] = await rack.client.rollouts();
        for (const { configuration } of later?.reimages ?? [])
          assert.equal(configuration?.state, ConfigurationState.CONFIGURATION_STATE_CONFIGURED);

        // Each task that has succeeded ran once, and no secret is left, or was told.
        for (const board of [good, bad]) {
          assert.equal((await board.run("cat", ["/greeted"])).trim(), "1");
          assert.doesNotMatch(await board.run("cat", ["/etc/pallet/tasks.json"]), /sesame/);
          assert.doesNotMatch(board.console.text(), /sesame/);
        }
        const told = JSON.stringify(
          [
            await rack.client.rollouts(),
            (await rack.client.events()).map(({ message }) => message),
            await rack.palletOk("node", "logs", bad.mac, "--json"),
          ],
          (_, value) => (typeof value === "bigint" ? String(value) : value),
        );
        assert.doesNotMatch(told, /sesame/);
      }),
  );

  it("run again after a power cut only if they had not ended", { timeout: 300_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      await board.powerOff();
      const mark = board.console.mark();
      await board.powerOn();
      await board.console.waitFor(/"role":"resident"[\s\S]*"registered"/, { from: mark });
      await until(
        async () => /configured: 2 tasks succeeded/.test(await rack.palletOk("node", "show", board.mac)),
        "it is not told",
      );
      assert.equal((await board.run("cat", ["/greeted"])).trim(), "1");
    }),
  );
});
