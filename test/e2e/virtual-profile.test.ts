// A system with systemd, OpenSSH and cloud-init as profiles say it, on a virtual Pi: looked into by ssh, and taken over by
// Ansible as the documentation prints it. Two nodes, and what becomes of them later: test/long/virtual-profiles.test.ts.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { buildSystemImage } from "../../scripts/systemd-image/build-system-image.ts";
import { tell } from "../rack/story.ts";
import { provideVirtualArtefacts } from "../rack/virtual/artefacts.ts";
import { createVirtualRack, type VirtualRack } from "../rack/virtual/virtual-rack.ts";
import { requires } from "../requirements.ts";
import { assertConfigured, comeUpAs, lookWhenUp, type NamedBoard } from "./virtual/configured-story.ts";
import { createOperator, type Operator } from "./virtual/operator.ts";
import { renderProfileCommands, unhurried } from "./virtual/profiles.ts";

describe("a virtual Pi with a Debian of profiles", requires("root", "qemu", "Ansible"), () => {
  let rack: VirtualRack;
  let operator: Operator;
  let node: NamedBoard;
  let mark = 0;
  const onRack = (title: string, body: () => Promise<void>) =>
    it(title, { timeout: 2_400_000 }, () => tell(rack, body));

  before(async () => {
    const image = await buildSystemImage({ cacheDirectory: checkoutCache("system-image"), variant: "settled" });
    rack = await createVirtualRack({ nodes: 1, settings: unhurried, artefacts: await provideVirtualArtefacts() });
    const [board] = rack.virtualBoards;
    assert.ok(board !== undefined);
    node = { board, name: "pi-1", labels: ["rack=a", "role=web"] };
    operator = await createOperator(rack);
    await operator.run(renderProfileCommands());
    await rack.palletOk("images", "add", image.imagePath, "--name", "debian");
  });
  after(async () => {
    await operator?.leave();
    await rack?.close();
  });

  onRack("is configured when its reimage has ended", async () => {
    await comeUpAs(rack, [node]);
    mark = node.board.console.mark();
    await operator.run("controller reimage pi-1 --image debian --yes");
    assert.match(await rack.palletOk("tasks", "list"), /join +succeeded/);
  });

  onRack("is what its profiles say, to an operator whose ssh knows it by the host key that was told", async () => {
    const inside = await lookWhenUp(rack, operator, node, mark);
    assertConfigured(inside, node, { hostname: "pi-1", index: 1, rack: "a" });
    assert.equal(inside.greeter, "active\nenabled");
    assert.equal(inside.folder, "750 ada ada");
    assert.match(inside.journal, /^join: pi-1 joins as web$/m);
  });

  onRack("is pinged by Ansible and made more by a playbook, as documented", async () => {
    await operator.runDocumented("ansible");
    const said = await operator.runDocumented("ansible playbook");
    assert.match(said, /^pi-1 \| SUCCESS => \{[\s\S]*"ping": "pong"/m);
    assert.match(said, /^pi-1 +: ok=\d+ +changed=\d+ +unreachable=0 +failed=0 /m);
    assert.equal(
      await operator.onNode("pi-1", "cat /etc/systemd/journald.conf.d/card.conf; systemctl is-active systemd-journald"),
      "[Journal]\nStorage=volatile\nRuntimeMaxUse=32M\nactive\n",
    );
  });
});
