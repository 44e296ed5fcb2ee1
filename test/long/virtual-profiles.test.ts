// Two nodes of one image that are not the same, as their profiles say, on virtual Pis: what each is, what a changed profile
// reimages, what stays over that, and a task that fails and is tried again. One node of it is in test/e2e/virtual-profile.test.ts.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { buildSystemImage } from "../../scripts/systemd-image/build-system-image.ts";
import { newestEvent } from "../e2e/virtual/come-up.ts";
import { assertConfigured, comeUpAs, lookWhenUp, type NamedBoard } from "../e2e/virtual/configured-story.ts";
import type { Inside } from "../e2e/virtual/look-inside.ts";
import { createOperator, type Operator } from "../e2e/virtual/operator.ts";
import { renderProfileCommands, unhurried } from "../e2e/virtual/profiles.ts";
import { patience } from "../e2e/virtual/rack-of-two.ts";
import { tell } from "../rack/story.ts";
import { provideVirtualArtefacts } from "../rack/virtual/artefacts.ts";
import { createVirtualRack, type VirtualRack } from "../rack/virtual/virtual-rack.ts";
import { requires } from "../requirements.ts";

/** A node that is known by host keys that were given to it, and has a user whose sudo wants a password. */
const store = `match: { labels: role=store }
priority: 1
system:
  hostname: "store-{{ index }}"
  users:
    - { name: ben, passwordHash: "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/", sudo: password }
  ssh: { hostKeyFiles: [secrets/store-host-key] }
`;
/** Added to it later: a task that fails until somebody mounts the disk. */
const provision = `  tasks:
    - name: provision
      command: [test, -e, /srv/disk-is-there]
`;

describe("two virtual Pis with a Debian of different profiles", requires("root", "qemu", "Ansible"), () => {
  let rack: VirtualRack;
  let operator: Operator;
  let web: NamedBoard;
  let shelf: NamedBoard;
  const inside: Record<string, Inside> = {};
  const onRack = (title: string, body: () => Promise<void>) =>
    it(title, { timeout: 3_600_000 }, () => tell(rack, body));
  const profile = (text: string) =>
    operator.run(`cat >/etc/pallet/profiles/store.yaml <<'END OF PROFILE'\n${text}END OF PROFILE`);

  before(async () => {
    const image = await buildSystemImage({ cacheDirectory: checkoutCache("system-image"), variant: "plain" });
    rack = await createVirtualRack({
      ...{ nodes: 2, cardBytes: 1 << 30, settings: unhurried },
      artefacts: await provideVirtualArtefacts(),
    });
    const [first, second] = rack.virtualBoards;
    assert.ok(first !== undefined && second !== undefined);
    web = { board: first, name: "pi-1", labels: ["rack=a", "role=web"] };
    shelf = { board: second, name: "pi-2", labels: ["rack=a", "role=store"] };
    operator = await createOperator(rack);
    await operator.run(renderProfileCommands({ "store.yaml": store }));
    await operator.run(
      'cd /etc/pallet/profiles/secrets && ssh-keygen -q -t ed25519 -N "" -C store -f store-host-key && rm store-host-key.pub',
    );
    await rack.palletOk("images", "add", image.imagePath, "--name", "debian");
  });
  after(async () => {
    await operator?.leave();
    await rack?.close();
  });

  onRack("are configured when their reimage has ended, and are what their profiles say", async () => {
    await comeUpAs(rack, [web, shelf]);
    const marks = [web, shelf].map(({ board }) => board.console.mark());
    await operator.run("controller reimage -l rack=a --image debian --yes");
    for (const [index, each] of [web, shelf].entries())
      inside[each.name] = await lookWhenUp(rack, operator, each, marks[index] ?? 0);
    const [one, two] = [inside["pi-1"], inside["pi-2"]];
    assert.ok(one !== undefined && two !== undefined);

    assertConfigured(one, web, { hostname: "pi-1", index: 1, rack: "a" });
    assert.equal(one.greeter, "active\nenabled");
    assert.equal(one.folder, "750 ada ada");
    assert.equal(one.ben, "no");
    assert.match(one.journal, /^join: pi-1 joins as web$/m);

    assertConfigured(two, shelf, { hostname: "store-2", index: 2, rack: "a" });
    assert.match(two.greeter, /^inactive\n/);
    assert.match(two.folder, /No such file/);
    assert.equal(two.ben, "(ALL : ALL) ALL");
    assert.match(two.journal, /^join: store-2 joins as store$/m);
    assert.equal(two.ownHostKey.split(" ")[1], (await given()).split(" ")[1], "the host key that was given");

    for (const field of ["machineId", "hostKeys", "hostname"] as const) assert.notEqual(one[field], two[field], field);
  });

  /** The public half of the host key that the profile gives. */
  const given = () => operator.run("ssh-keygen -y -f /etc/pallet/profiles/secrets/store-host-key");

  onRack("are pinged by Ansible and made more by a playbook, as documented", async () => {
    await operator.runDocumented("ansible");
    const said = await operator.runDocumented("ansible playbook");
    for (const name of ["pi-1", "pi-2"]) {
      assert.match(said, new RegExp(`^${name} \\| SUCCESS => `, "m"));
      assert.match(said, new RegExp(`^${name} +: ok=\\d+ +changed=\\d+ +unreachable=0 +failed=0 `, "m"));
    }
    assert.equal(said.match(/"ping": "pong"/g)?.length, 2);
    assert.match(await operator.run("ansible-inventory --graph"), /@profile_store:\n {2}\| {2}\|--pi-2\n/);
  });

  onRack(
    "are left alone by a changed profile that is not theirs, and a failed task is told and tried again",
    async () => {
      await profile(store + provision);
      const mark = shelf.board.console.mark();
      const ended = await operator.run(
        "controller reimage -l rack=a --only-changed --yes && exit 1; controller nodes --failed -o name",
      );
      assert.match(ended, /provision/);
      assert.equal(ended.trimEnd().split("\n").at(-1), "pi-2");
      const [rollout] = await rack.client.rollouts();
      assert.deepEqual(
        rollout?.reimages.map(({ nodeId }) => nodeId),
        [shelf.board.mac],
      );

      const before = inside["pi-2"];
      const after = await lookWhenUp(rack, operator, shelf, mark);
      assertConfigured(after, shelf, { hostname: "store-2", index: 2, rack: "a" });
      assert.equal(after.hostKeys, before?.hostKeys);
      assert.notEqual(after.machineId, before?.machineId);

      await operator.onNode("pi-2", "touch /srv/disk-is-there");
      const afterId = await newestEvent(rack);
      await operator.run("controller tasks retry pi-2");
      await rack.client.event(({ type, nodeId }) => type === "reimage-configured" && nodeId === shelf.board.mac, {
        ...patience,
        afterId,
      });
      assert.match(await rack.palletOk("tasks", "list"), /provision +succeeded/);
      assert.match(await operator.run("controller nodes --failed -o name"), /^no node matches --failed; /);
    },
  );
});
