import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import { Failure, messageOf } from "../../../proto/failure.ts";
import { formatIpv4, parseIpv4, parseIpv4Network } from "../../network/ipv4.ts";
import { askCommand, askForDhcpServers, askHere } from "../../setup/ask-dhcp.ts";
import { awaitAddress, carryOutSetup, carryOutUndo } from "../../setup/carry-out.ts";
import type { SetupFacts } from "../../setup/facts.ts";
import { findRack, isReaddressed } from "../../setup/find-conflicts.ts";
import { gatherSetupFacts, readJournal, readSetupRequirements } from "../../setup/gather-setup-facts.ts";
import { journalFile } from "../../setup/journal.ts";
import { type Machine, thisMachine } from "../../setup/machine.ts";
import { parseLinks } from "../../setup/parse-links.ts";
import { isNothing, planSetup, type SetupPlan } from "../../setup/plan-setup.ts";
import { planUndo } from "../../setup/plan-undo.ts";
import { defaultRackAddress, rackName, type SetupChoice } from "../../setup/setup-choice.ts";
import { setupStatus } from "../../setup/setup-status.ts";
import { type CommandContext, type ToAction, UsageError } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { describeStep, renderSetupPlan, renderSetupStatus, renderUndoPlan } from "../render/render-setup.ts";
import { confirm, requireConsent } from "../terminal/confirm.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { hasEnded, viewRollout } from "../view/rollout-view.ts";
import { installHelp, installIfAsked } from "./install-option.ts";
import { examples, jsonHelp } from "./option-texts.ts";

interface ChoiceOptions {
  readonly rack: string;
  readonly uplink: string;
  readonly address?: string;
  readonly install?: true;
}

interface ConsentOptions {
  readonly yes?: true;
}

interface UndoOptions extends ConsentOptions {
  readonly keepChanged?: true;
}

/** `controller setup plan|apply|undo|status`: makes this machine one that serves a rack. They need no controller. */
export function registerSetup(program: Command, toAction: ToAction): void {
  const setup = program
    .command("setup")
    .description(
      "what this machine needs to serve a rack: its network, firewall, time, and the controller as a service",
    )
    .helpCommand(false);
  registerPlan(setup, toAction);
  registerApply(setup, toAction);
  registerUndo(setup, toAction);
  registerStatus(setup, toAction);
  setup
    .command(`${askCommand} <mac>`, { hidden: true })
    .description("ask for DHCP servers from the network namespace that this runs in")
    .action(toAction<[string], object>(async ({ print }, _, mac) => void print([...(await askHere(mac))])));
}

function registerPlan(setup: Command, toAction: ToAction): void {
  withChoice(setup.command("plan"))
    .description(
      "show what a setup of this machine would do, and what is in its way; changes nothing\n\n" +
        `The rack's interface gets the name ${rackName}, by its MAC address, and an address without a gateway, with or without ` +
        "a cable. What comes by it may use only what nodes need, and reaches the uplink as this machine, if there is one. " +
        "chrony serves time, and the controller starts with the machine. Other interfaces stay with who keeps them: " +
        "NetworkManager, netplan, ifupdown, systemd-networkd. Files are only added: nothing of yours is overwritten.",
    )
    .summary("show what a setup of this machine would do, and what is in its way")
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller setup plan --rack eth1 --uplink eth0"],
        ["controller setup plan --rack eth1 --uplink none --address 192.168.77.1/24"],
      ),
    )
    .action(
      toAction<[], ChoiceOptions>(async (context, options) => {
        const { isJson, look, print, printJson } = context;
        const { plan } = await makePlan(context, options, thisMachine());
        const { journal: _, ...shown } = plan;
        if (isJson) printJson(shown);
        else print(renderSetupPlan(shown, look));
        return plan.conflicts.length === 0 ? exitCode.done : exitCode.failed;
      }),
    );
}

function registerApply(setup: Command, toAction: ToAction): void {
  withChoice(setup.command("apply"))
    .description(
      "set this machine up to serve a rack\n\n" +
        'Shows the plan of "controller setup plan" and asks. What it is going to do is noted in ' +
        `${journalFile} first: if it is interrupted, at any moment, "apply" again goes on, and "undo" leads back. ` +
        "If a step fails, what it did is undone. Done again, it changes nothing.",
    )
    .summary("set this machine up to serve a rack")
    .option("--yes", "do not ask")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller setup apply --rack eth1 --uplink eth0 --install"]))
    .action(
      toAction<[], ChoiceOptions & ConsentOptions>(async (context, options) => {
        const { isJson, look, print, printJson, note } = context;
        requireConsent(context, options.yes, "changes this machine's network", "give --yes");
        const machine = thisMachine();
        const { plan, facts, choice } = await makePlan(context, options, machine, true);
        const { journal: _, ...shown } = plan;
        if (isJson) printJson(shown);
        else print(renderSetupPlan(shown, look));
        if (plan.conflicts.length > 0) return exitCode.failed;
        if (isNothing(plan)) return exitCode.done;
        if (options.yes !== true && !(await confirm(context, 'Type "yes" to do this: '))) return exitCode.failed;
        try {
          await carryOutSetup(plan, machine, (step) => note([describeStep(step)]));
          await awaitAddress(machine, choice.address);
        } catch (error) {
          const failure = await describeFailedSetup(error, choice, machine);
          if ((await readJournal(machine)) === undefined) throw failure;
          if (facts.journal !== undefined)
            throw new Failure(
              "tool-failed",
              `${messageOf(failure)}; "controller setup apply" goes on from here, "controller setup undo" leads back`,
              { cause: failure },
            );
          note([`${printable(messageOf(failure))}: undoing what was done`]);
          await undo(machine, context, true).catch((cause: unknown) => {
            throw new Failure(
              "tool-failed",
              `${messageOf(failure)}; and not all of it could be undone: ${messageOf(cause)}; see to that, then: controller setup undo`,
              { cause },
            );
          });
          throw failure;
        }
        note(['done: "controller setup status" shows how it is, "controller serve --check" what boards still lack']);
        return exitCode.done;
      }),
    );
}

function registerUndo(setup: Command, toAction: ToAction): void {
  setup
    .command("undo")
    .description(
      "make this machine what it was before its setup\n\n" +
        "Removes every file that the setup wrote, gives the interface its name back, and starts what was stopped. Nodes, images and " +
        "the root filesystem stay. If one of the files was changed since, nothing is undone, and the file is named; " +
        "--keep-changed leaves it and undoes the rest. A changed /etc/pallet/pallet.yaml always stays.",
    )
    .summary("make this machine what it was before its setup")
    .option("--keep-changed", "leave files that were changed since")
    .option("--yes", "do not ask")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller setup undo"], ["controller setup undo --keep-changed --yes"]))
    .action(
      toAction<[], UndoOptions>(async (context, options) => {
        const { isJson, look, print, printJson } = context;
        requireConsent(context, options.yes, "changes this machine's network", "give --yes");
        const machine = thisMachine();
        const plan = await makeUndo(machine, context, options.keepChanged === true);
        if (plan === undefined) {
          if (isJson) printJson({ conflicts: [], kept: [], stops: [], changes: [], actions: [] });
          else print(["this machine was not set up: nothing to undo"]);
          return exitCode.done;
        }
        const { journal: _, ...shown } = plan;
        if (isJson) printJson(shown);
        else print(renderUndoPlan(plan, look));
        if (plan.conflicts.length > 0) return exitCode.failed;
        if (options.yes !== true && !(await confirm(context, 'Type "yes" to do this: '))) return exitCode.failed;
        await carryOutUndo(plan, machine, (step) => context.note([describeStep(step)]));
        return exitCode.done;
      }),
    );
}

function registerStatus(setup: Command, toAction: ToAction): void {
  setup
    .command("status")
    .description(
      "show how this machine's setup is now, and what was changed since\n\n" +
        "Exit code 1 if something is not as the setup made it, or if there was none.",
    )
    .summary("show how this machine's setup is now, and what was changed since")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller setup status"]))
    .action(
      toAction<[], object>(async ({ effects, isJson, look, print, printJson }) => {
        const facts = await gatherSetupFacts(thisMachine(), effects.env);
        if (facts.journal === undefined) {
          if (isJson) printJson({ isSetUp: false, parts: [] });
          else print(["this machine was not set up"]);
          return exitCode.failed;
        }
        const parts = setupStatus(facts.journal, facts);
        if (isJson) printJson({ isSetUp: true, parts });
        else print(renderSetupStatus(parts, look));
        return parts.every(({ isFine }) => isFine) ? exitCode.done : exitCode.failed;
      }),
    );
}

/** What went wrong; what a tool says of an interface that is gone does not say so. */
async function describeFailedSetup(error: unknown, choice: SetupChoice, machine: Machine): Promise<unknown> {
  const links = parseLinks(await machine.run("ip", "-json", "-details", "address"), []);
  const journal = await readJournal(machine);
  if (findRack(choice, { links, ...(journal !== undefined && { journal }) }) !== undefined) return error;
  return new Failure(
    "tool-failed",
    `${choice.rack} is gone, as if it was unplugged (${messageOf(error)}): plug it in, and apply again`,
    {
      cause: error,
    },
  );
}

async function makeUndo(machine: Machine, { effects }: CommandContext, keepChanged: boolean) {
  const facts = await gatherSetupFacts(machine, effects.env);
  return facts.journal && planUndo(facts.journal, facts, keepChanged);
}

async function undo(machine: Machine, context: CommandContext, keepChanged: boolean): Promise<void> {
  const plan = await makeUndo(machine, context, keepChanged);
  if (plan !== undefined) await carryOutUndo(plan, machine, (step) => context.note([describeStep(step)]));
}

function withChoice(command: Command): Command {
  return command
    .requiredOption("--rack <interface>", "the network interface that the rack's switch is connected to")
    .requiredOption("--uplink <interface>", 'the network interface that leads elsewhere, or "none"')
    .option(
      "--address <address/length>",
      `this machine's address in the rack (default: that of an earlier setup, or ${defaultRackAddress})`,
    )
    .option("--install", installHelp);
}

async function makePlan(
  context: CommandContext,
  options: ChoiceOptions,
  machine: Machine,
  mayRaise = false,
): Promise<{ readonly plan: SetupPlan; readonly facts: SetupFacts; readonly choice: SetupChoice }> {
  checkWords(options);
  await installIfAsked(options, context, await readSetupRequirements(machine));
  const looked = await gatherSetupFacts(machine, context.effects.env);
  const choice = parseChoice(options, looked);
  const asked = await withRollouts(choice, looked, context);
  const facts = await withDhcp(choice, asked, mayRaise ? machine : undefined);
  return { plan: planSetup(choice, facts), facts, choice };
}

/** Asks the controller that runs, where the choice would take its address from it. */
async function withRollouts(
  choice: SetupChoice,
  facts: SetupFacts,
  { client, signal }: CommandContext,
): Promise<SetupFacts> {
  if (!isReaddressed(choice, facts) || facts.units.get("pallet-controller.service")?.isActive !== true) return facts;
  try {
    const { rollouts } = await client.listRollouts({}, signal);
    const running = rollouts.map(viewRollout).filter((rollout) => !hasEnded(rollout));
    return { ...facts, rollouts: { running: running.map(({ rolloutId }) => rolloutId) } };
  } catch (error) {
    signal.throwIfAborted();
    return { ...facts, rollouts: { unasked: messageOf(error) } };
  }
}

/**
 * Asks only where there may be an answer, and where the controller is to be the one that gives it.
 *
 * @param raised what may raise the interface for as long as that takes, if it is down
 */
async function withDhcp(choice: SetupChoice, facts: SetupFacts, raised: Machine | undefined): Promise<SetupFacts> {
  const rack = findRack(choice, facts);
  const mode = typeof facts.config === "object" ? facts.config.dhcp.mode : "server";
  const isAsked = rack?.type === "ether" && mode === "server" && facts.isRoot && facts.missing.length === 0;
  if (!isAsked) return facts;
  if (rack.isUp) {
    if (!rack.hasCarrier) return facts;
    return { ...facts, otherDhcp: await askForDhcpServers(rack.name, process.argv[1]) };
  }
  if (raised === undefined)
    return { ...facts, otherDhcp: { unasked: `${rack.name} is down; apply raises it for that` } };
  await raised.run("ip", "link", "set", "dev", rack.name, "up");
  try {
    if (!(await hasCarrierSoon(raised, rack.name))) return facts;
    return { ...facts, otherDhcp: await askForDhcpServers(rack.name, process.argv[1]) };
  } finally {
    await raised.run("ip", "link", "set", "dev", rack.name, "down");
  }
}

/** How long two ends of a cable may take to agree on a speed, in milliseconds. */
const carrierMs = 5000;

async function hasCarrierSoon(machine: Machine, device: string): Promise<boolean> {
  for (const end = performance.now() + carrierMs; performance.now() < end; await pause(100))
    if ((await machine.run("ip", "-oneline", "link", "show", "dev", device)).includes("LOWER_UP")) return true;
  return false;
}

function checkWords({ rack, uplink, address }: ChoiceOptions): void {
  if (rack === uplink) throw new UsageError(`${rack} cannot be both the rack's interface and the uplink`);
  for (const name of [rack, uplink])
    if (!/^[^\s/"]{1,15}$/.test(name))
      throw new UsageError(`${JSON.stringify(name)} is no name of a network interface`);
  if (address !== undefined && !isAddress(address))
    throw new UsageError(
      `--address ${JSON.stringify(address)}: give an IPv4 address and the length of its network's prefix, like ${defaultRackAddress}`,
    );
}

function isAddress(text: string): boolean {
  return (
    text.includes("/") && parseIpv4(text.split("/")[0] ?? "") !== undefined && parseIpv4Network(text) !== undefined
  );
}

function parseChoice({ rack, uplink, address: given }: ChoiceOptions, { journal }: SetupFacts): SetupChoice {
  const former = journal && `${journal.choice.address}/${journal.choice.prefixLength}`;
  const text = given ?? former ?? defaultRackAddress;
  const network = parseIpv4Network(text);
  const address = parseIpv4(text.split("/")[0] ?? "");
  if (network === undefined || address === undefined) throw new UsageError(`${text} is no address and prefix length`);
  return { rack, ...(uplink !== "none" && { uplink }), address: formatIpv4(address), network };
}
