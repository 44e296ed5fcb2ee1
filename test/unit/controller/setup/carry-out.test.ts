// A setup and its undo on real files, with a machine that dies between any two of its steps; programs are noted, not run.
import assert from "node:assert/strict";
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { parseIpv4Network } from "../../../../controller/network/ipv4.ts";
import { carryOutUndo } from "../../../../controller/setup/carry-out.ts";
import { readJournal } from "../../../../controller/setup/gather-setup-facts.ts";
import { type Machine, thisMachine } from "../../../../controller/setup/machine.ts";
import { isNothing, planSetup } from "../../../../controller/setup/plan-setup.ts";
import { planUndo } from "../../../../controller/setup/plan-undo.ts";
import { Failure } from "../../../../proto/failure.ts";
import { requires } from "../../../requirements.ts";
import { choice, running, withUnits } from "./a-machine.ts";
import { apply, furnish, leftovers, listing, look, undo } from "./on-files.ts";

class Died extends Error {}

/** A machine that dies before its nth change, or in the middle of it where that writes a file. */
function mortal(machine: Machine, root: string, dieAt: number): Machine & { readonly steps: () => number } {
  let steps = 0;
  const step = (): boolean => steps++ === dieAt;
  const mortally =
    <Args extends readonly unknown[], T>(change: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      if (step()) throw new Died();
      return await change(...args);
    };
  return {
    read: (file) => machine.read(file),
    ownerOf: (file) => machine.ownerOf(file),
    folderExists: (folder) => machine.folderExists(folder),
    async write(file, content) {
      if (step()) throw new Died();
      if (step()) {
        await writeFile(path.join(root, `${file}.pallet-new`), "half");
        throw new Died();
      }
      await machine.write(file, content);
    },
    remove: mortally((file: string) => machine.remove(file)),
    makeFolder: mortally((folder: string) => machine.makeFolder(folder)),
    removeFolder: mortally((folder: string) => machine.removeFolder(folder)),
    run: mortally(async () => ""),
    steps: () => steps,
  };
}

describe("a setup on files", () => {
  let scratch = "";
  let count = 0;
  before(async () => {
    // In memory: each of its hundreds of steps is flushed.
    scratch = await mkdtemp("/dev/shm/pallet-setup-");
  });
  after(() => rm(scratch, { recursive: true }));

  const freshRoot = (): Promise<string> => furnish(path.join(scratch, String(count++)));
  const untilDeath = async (work: Promise<unknown>): Promise<boolean> =>
    work.then(
      () => false,
      (error: unknown) => {
        if (!(error instanceof Died)) {
          // Errors that a message wraps are the same death.
          for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Died) return true;
          throw error;
        }
        return true;
      },
    );

  it("is undone byte for byte, folders too, and is the same after a death before any of its steps, done again or undone", async () => {
    const whole = await freshRoot();
    const fresh = await listing(whole);
    const counted = mortal(thisMachine(whole), whole, -1);
    await apply(counted);
    const applied = await listing(whole);
    assert.ok(counted.steps() > 40, "it counts its steps");
    for (let dieAt = 0; dieAt < counted.steps(); dieAt++) {
      const roots = [await freshRoot(), await freshRoot()] as const;
      for (const root of roots)
        assert.ok(await untilDeath(apply(mortal(thisMachine(root), root, dieAt))), `it dies at step ${dieAt}`);
      const [again, back] = roots;
      await apply(mortal(thisMachine(again), again, -1));
      assert.deepEqual(await listing(again), applied, `done again after step ${dieAt}`);
      await undo(mortal(thisMachine(back), back, -1));
      assert.deepEqual(leftovers(await listing(back)), fresh, `undone after step ${dieAt}`);
    }
  });

  it("is undone after an undo that died before any of its steps, or done again", async () => {
    const whole = await freshRoot();
    const fresh = await listing(whole);
    await apply(mortal(thisMachine(whole), whole, -1));
    const applied = await listing(whole);
    const counted = mortal(thisMachine(whole), whole, -1);
    await undo(counted);
    assert.deepEqual(await listing(whole), fresh);
    for (let dieAt = 0; dieAt < counted.steps(); dieAt++) {
      const roots = [await freshRoot(), await freshRoot()] as const;
      for (const root of roots) {
        await apply(mortal(thisMachine(root), root, -1));
        assert.ok(await untilDeath(undo(mortal(thisMachine(root), root, dieAt))), `it dies at step ${dieAt}`);
      }
      const [back, again] = roots;
      await undo(mortal(thisMachine(back), back, -1));
      assert.deepEqual(leftovers(await listing(back)), fresh, `undone after step ${dieAt}`);
      await apply(mortal(thisMachine(again), again, -1));
      assert.deepEqual(await listing(again), applied, `done again after step ${dieAt}`);
    }
  });

  it("changes nothing when it is done again, and only what has to change for another choice", async () => {
    const root = await freshRoot();
    const machine = mortal(thisMachine(root), root, -1);
    await apply(machine);
    const { changes } = planSetup(choice, await look(machine));
    assert.deepEqual(changes, []);
    const { uplink: _, ...alone } = choice;
    const other = await apply(machine, alone);
    assert.deepEqual(
      other.changes.map(({ kind, path: file }) => `${kind} ${file}`),
      ["remove /etc/sysctl.d/99-zz-pallet.conf", "write /etc/pallet/firewall.nft"],
    );
    const elsewhere = planSetup(
      { ...alone, address: "10.78.0.1", network: parseIpv4Network("10.78.0.0/24") ?? choice.network },
      { ...withUnits(await look(machine), { "pallet-controller.service": running }), hasUser: true },
    );
    assert.deepEqual(elsewhere.conflicts, []);
    assert.ok(
      elsewhere.actions.some(
        ({ kind, ...rest }) => kind === "restart" && "unit" in rest && rest.unit === "pallet-controller.service",
      ),
      "the controller reads its new configuration",
    );
    await undo(machine);
    const untouched = await freshRoot();
    assert.deepEqual(await listing(root), await listing(untouched));
  });

  it("never writes over what a person changed, and names it; nor does an undo remove it", async () => {
    const root = await freshRoot();
    const machine = mortal(thisMachine(root), root, -1);
    await apply(machine);
    const firewall = path.join(root, "etc/pallet/firewall.nft");
    await writeFile(firewall, "# mine now\n");
    const { conflicts } = planSetup(choice, await look(machine));
    assert.deepEqual(
      conflicts.map(({ message }) => message),
      ["/etc/pallet/firewall.nft is not as a setup wrote it, or is somebody else's"],
    );
    const facts = await look(machine);
    assert.ok(facts.journal);
    const refused = planUndo(facts.journal, facts, false);
    assert.deepEqual(
      refused.conflicts.map(({ message }) => message),
      ["/etc/pallet/firewall.nft was changed since the setup wrote it"],
    );
    await undo(machine, true);
    assert.equal(await readFile(firewall, "utf8"), "# mine now\n");
    await assert.rejects(lstat(path.join(root, "etc/systemd/system/pallet-firewall.service")));
  });

  it("takes other permissions for a change, too", async () => {
    const root = await freshRoot();
    const machine = mortal(thisMachine(root), root, -1);
    await apply(machine);
    await chmod(path.join(root, "etc/sysctl.d/99-zz-pallet.conf"), 0o600);
    assert.equal(planSetup(choice, await look(machine)).conflicts.length, 1);
  });

  it("leaves its configuration to the operator from the first day on", async () => {
    const root = await freshRoot();
    const machine = mortal(thisMachine(root), root, -1);
    await apply(machine);
    const config = path.join(root, "etc/pallet/pallet.yaml");
    await writeFile(config, "listen: 10.77.0.1\nlogLevel: debug\n");
    const plan = planSetup(choice, await look(machine));
    assert.deepEqual([plan.conflicts, plan.changes], [[], []]);
    await undo(machine);
    assert.equal(await readFile(config, "utf8"), "listen: 10.77.0.1\nlogLevel: debug\n");
  });

  it("is undone also where systemd-networkd does not come up at once, but not where it does not come up at all", async () => {
    for (const [failing, ends] of [
      [["networkctl"], "undone"],
      [["networkctl", "restart"], "undone"],
      [["networkctl", "restart", "start"], "start fails"],
    ] as const) {
      const root = await freshRoot();
      await apply(mortal(thisMachine(root), root, -1));
      const machine: Machine = {
        ...thisMachine(root),
        async run(program, ...args) {
          const what = program === "systemctl" && args.at(-1) === "systemd-networkd.service" ? args[0] : program;
          if (failing.some((each) => each === what)) throw new Failure("tool-failed", `${what} fails`);
          return "";
        },
      };
      const journal = await readJournal(machine);
      assert.ok(journal !== undefined);
      const reload = { stops: [], changes: [], actions: [{ kind: "reload", what: "network" }] } as const;
      const end = carryOutUndo({ ...reload, conflicts: [], kept: [], journal }, machine, () => undefined).then(
        () => "undone",
        (error: Error) => error.message,
      );
      assert.equal(await end, ends);
    }
  });

  it("is nothing at all on a machine that is as it should be", async () => {
    const root = await freshRoot();
    const machine = mortal(thisMachine(root), root, -1);
    await apply(machine);
    const facts = await look(machine);
    const units = Object.fromEntries(
      [
        ...["systemd-networkd.service", "pallet-firewall.service", "chrony.service"],
        ...["pallet-broker.socket", "pallet-controller.service"],
      ].map((name) => [name, running]),
    );
    const now = withUnits(facts, {
      ...units,
      "dnsmasq.service": { ...running, isActive: false, enablement: "masked" },
    });
    const links = now.links.map((link) =>
      link.name === "eth1" ? { ...link, name: "rack0", isUp: true, addresses: ["10.77.0.1/24"] } : link,
    );
    const plan = planSetup(choice, { ...now, links, forwards: true, hasUser: true });
    assert.ok(isNothing(plan), JSON.stringify(plan));
  });

  it("refuses the note of a newer version, and one that is damaged", async () => {
    const root = await freshRoot();
    await mkdir(path.join(root, "var/lib/pallet"));
    const note = path.join(root, "var/lib/pallet/setup.json");
    await writeFile(note, '{"version": 2}');
    await assert.rejects(readJournal(thisMachine(root)), /written by a newer version of Pallet \(format 2/);
    await writeFile(note, '{"version": 1');
    await assert.rejects(readJournal(thisMachine(root)), /setup\.json is damaged/);
  });

  it(
    "refuses the note of somebody else, who would have root write and remove what he likes",
    requires("root"),
    async () => {
      const root = await freshRoot();
      await apply(mortal(thisMachine(root), root, -1));
      await chown(path.join(root, "var/lib/pallet/setup.json"), 4711, 4711);
      const before = await listing(root);
      await assert.rejects(undo(thisMachine(root)), /setup\.json belongs to user 4711, .*: remove it/);
      assert.deepEqual(await listing(root), before);
    },
  );
});
