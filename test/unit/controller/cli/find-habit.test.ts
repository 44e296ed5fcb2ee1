// People type what other tools have taught them: it leads to the command that they mean, and is never carried out unasked.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findHabit } from "../../../../controller/cli/find-habit.ts";
import { run } from "./a-console.ts";

const table: readonly (readonly [typed: string, means: readonly string[]])[] = [
  ["get nodes", ["controller nodes"]],
  ["get no -l rack=a -o wide", ["controller nodes -l rack=a -o wide"]],
  ["get nodes -oname", ["controller nodes -o name"]],
  ["get rollouts --output=yaml", ["controller rollouts -o yaml"]],
  ["get nodes -o jsonpath={.items}", ["controller nodes --json"]],
  ["get events -o yaml", ["controller events --json"]],
  ["get pods -A -o json", ["controller nodes --json"]],
  ["get node -ojson", ["controller nodes --json"]],
  ["get images", ["controller images"]],
  ["get rollouts", ["controller rollouts"]],
  ["get events --follow", ["controller events --follow"]],
  ["describe node rack-1", ["controller node show rack-1"]],
  ["describe image debian-12", ["controller images show debian-12"]],
  ["delete node rack-1 rack-2", ["controller node forget rack-1 rack-2"]],
  ["delete image debian-11", ["controller images remove debian-11"]],
  ["delete rollout r-1", ["controller cancel r-1"]],
  ["label nodes rack-1 rack=a", ["controller node label rack-1 rack=a"]],
  ["rollout status r-1", ["controller rollout show r-1"]],
  ["rollout restart r-1", ["controller rollout retry r-1"]],
  ["rollout history", ["controller rollouts"]],
  ["ps", ["controller nodes"]],
  ["ps -a", ["controller nodes"]],
  ["ls", ["controller nodes"]],
  ["rm rack-1", ["controller node forget rack-1", "controller images remove rack-1"]],
  ["rmi debian-11", ["controller images remove debian-11"]],
  [
    "inspect rack-1",
    ["controller node show rack-1", "controller images show rack-1", "controller rollout show rack-1"],
  ],
  ["logs -f rack-1", ["controller node logs -f rack-1"]],
  ["node rm rack-1", ["controller node forget rack-1"]],
  ["node inspect rack-1", ["controller node show rack-1"]],
  ["nodes list", ["controller nodes"]],
  ["nodes show rack-1", ["controller node show rack-1"]],
  ["image rm debian-11", ["controller images remove debian-11"]],
  ["image inspect debian-11", ["controller images show debian-11"]],
  ["image pull x.img.xz", ["controller images add x.img.xz"]],
  ["restart rack-1", ["controller reboot rack-1"]],
  ["flash rack-1", ["controller reimage rack-1"]],
  ["umount rack-1 /dev/sda", ["controller unmount rack-1 /dev/sda"]],
  ["--socket /s get nodes", ["controller nodes"]],
];

describe("a habit of another tool", () => {
  for (const [typed, means] of table)
    it(`${typed} means ${means.join(" or ")}: exit code 2, and nobody is asked`, async () => {
      const argv = typed.split(" ");
      assert.deepEqual(findHabit(argv)?.commands, means);
      const { code, stdout, stderr } = await run(argv, { socket: "/nonexistent/controller.sock" });
      assert.deepEqual([code, stdout], [2, ""]);
      for (const command of means) assert.ok(stderr.includes(`\n  ${command}\n`), stderr);
    });

  it("is quoted as a shell needs it", () =>
    assert.deepEqual(findHabit(["get", "nodes", "pi-*", "-l", "rack in (a)"])?.commands, [
      "controller nodes 'pi-*' -l 'rack in (a)'",
    ]));

  it("lets no control character reach the terminal", async () => {
    const { stderr } = await run(["rm", "\u001b[2J"]);
    assert.doesNotMatch(stderr, /(?!\n)\p{Cc}/u);
  });

  it("is none of what is a command of ours", async () => {
    for (const argv of [
      ["nodes"],
      ["nodes", "pi-1"],
      ["node", "list"],
      ["node", "ls"],
      ["node", "show", "get"],
      ["node", "label", "rm", "a=b"],
      ["images"],
      ["images", "list"],
      ["image", "ls"],
      ["images", "remove", "ls"],
      ["rollout", "list"],
      ["rollout", "show", "x"],
      ["rollout", "retry", "x"],
      ["reimage", "list"],
      ["events", "--follow"],
      ["cancel", "x"],
      ["status"],
      ["help", "nodes"],
      ["--help"],
      [],
    ])
      assert.equal(findHabit(argv), undefined, argv.join(" "));
  });

  it("that is just misspelt is commander's to correct", async () => {
    const { code, stderr } = await run(["reimagee"]);
    assert.equal(code, 2);
    assert.match(stderr, /unknown command 'reimagee'\n\(Did you mean reimage\?\)/);
  });
});
