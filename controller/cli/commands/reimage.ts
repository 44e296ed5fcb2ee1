import type { Command } from "commander";
import { parseSize } from "../../../proto/disk/parse-size.ts";
import { keepLabel } from "../../../proto/disk/protected-disk.ts";
import { Failure } from "../../../proto/failure.ts";
import type { SelectorText } from "../../nodes/parse-selector.ts";
import type { CommandContext, ToAction } from "../connection/command-context.ts";
import { type CarryOutOptions, carryOut, requireErasureConsent } from "../rollout/carry-out.ts";
import {
  addNodeChoice,
  describeNone,
  isPlain,
  type NodeChoiceOptions,
  nodesHelp,
  requireNodeChoice,
  selectNodes,
  selectorTextOf,
} from "./node-choice.ts";
import { examples, jsonLinesHelp } from "./option-texts.ts";
import { waitOption } from "./wait-option.ts";

interface Options extends NodeChoiceOptions, CarryOutOptions {
  readonly image?: string;
  readonly disk?: string;
  /** --no-resident makes it false. */
  readonly resident?: boolean;
  readonly full?: boolean;
  /** --no-profiles makes it false. */
  readonly profiles?: boolean;
  /** --no-grow makes it false. */
  readonly grow?: boolean;
  readonly growTo?: string;
  readonly onlyChanged?: boolean;
}

async function reimage(context: CommandContext, options: Options, nodes: readonly string[]): Promise<number> {
  const { image = "", disk = "", resident = true, full = false, grow = true, growTo, onlyChanged = false } = options;
  const { profiles = true } = options;
  const how = {
    disk,
    noResident: !resident,
    full,
    noProfiles: !profiles,
    noGrow: !grow,
    growToBytes: BigInt(growToBytes(grow, growTo)),
  };
  const text = selectorTextOf(options, nodes);
  requireNodeChoice("reimage", text);
  requireErasureConsent(context, options);
  const chosen = await nodesToReimage(context, text);
  const nothing = { imageDigest: "", seen: [], retryOf: "" };
  return await carryOut(context, { ...chosen, imageName: image, ...how, onlyChanged, ...nothing }, options, () => {
    throw new Failure(
      "invalid",
      'no nodes are accepted: list them with "controller nodes" and accept them with "controller node accept"',
    );
  });
}

/** As the plan is asked for. Names alone need no selection: the plan itself finds them, and says what it does not find. */
async function nodesToReimage(context: CommandContext, text: SelectorText) {
  if (isPlain(text)) return { nodes: [...text.nodes], all: text.all };
  const found = await selectNodes(context, text, true);
  if (found.length === 0) throw new Failure("invalid", describeNone(text, true));
  return { nodes: found.map(({ nodeId }) => nodeId), all: false };
}

/** Where the root has to end at the latest, in bytes; 0 without a bound. Throws a Failure "invalid". */
function growToBytes(grow: boolean, text: string | undefined): number {
  if (text === undefined) return 0;
  if (!grow) throw new Failure("invalid", "--no-grow and --grow-to exclude each other: give one of them");
  const bytes = parseSize(text);
  if (bytes === undefined)
    throw new Failure("invalid", `--grow-to "${text}" is no size: give one like 16GB or 14.5GiB`);
  return bytes;
}

/** `controller reimage NODE…|--all`. */
export function registerReimage(program: Command, toAction: ToAction): void {
  const command = program
    .command("reimage")
    .description(
      "install an image on nodes and have each prove that it runs it\n\n" +
        "Shows the plan first: which disk of which node would be erased, and what is on it. Once you type yes, each node " +
        "netboots into the agent, which erases the partition table, writes the image, reads it back to verify it, and writes " +
        "the partition table last. The node then reboots from its own card, and is done only when it has proved that it runs " +
        "the image. If you pull the plug at any moment, the node recovers by itself.\n\n" +
        "The proof comes from the resident agent, a small service that the reimage installs into the new system (systemd or " +
        "/etc/inittab). It can only report and reboot; it also brings the node back for its next reimage. With --no-resident " +
        "the image stays untouched, except for firmware that the board would boot before it asks the network (the plan says " +
        "so; see serve --boot-profile-card-firmware), and does not grow unless --grow-to is given. The proof is then weak, and shown as such: after the reboot the node " +
        "fetched the image's kernel and answers on the network. Before its next reimage, reboot or power-cycle it by hand.\n\n" +
        "What you confirm is what is done: if the image's name, a node's disk or what it holds, or what its profiles say, is " +
        "something else by the time that it would be erased, that is refused and said.\n\n" +
        "The rollout runs in the controller: Ctrl-C stops watching, not the rollout. The exit code is 0 only if every node " +
        "is proved (with --no-resident, a weak proof is enough) and, unless you say --wait proved, its first-boot tasks have " +
        "succeeded; with --detach, if the rollout started on every node; with " +
        "--dry-run, if no node would be refused.",
    )
    .summary("install an image on nodes and have each prove that it runs it")
    .argument("[nodes...]", nodesHelp)
    .option("--image <image>", "the image (default: the only one in the catalogue)")
    .option(
      "--disk <disk>",
      "the disk to erase on each node, by its path or a rule: sd, nvme, usb, serial=TEXT, model=TEXT, size>64GB, " +
        `size<1TB, or several with commas; never one that is protected, as by the label ${keepLabel} ` +
        "(default: the only one that fits)",
    )
    .option("--no-resident", "leave the image untouched: no agent in it, so only a weak proof")
    .option("--no-profiles", "leave the system as the image has it, whatever the profiles say")
    .option("--full", "rewrite everything, even what the card already has")
    .option(
      "--no-grow",
      "leave the root partition as long as it is in the image, instead of growing it to the card's end",
    )
    .option("--grow-to <size>", "where on the card the root partition ends at the latest (16GB, 14.5GiB)")
    .option("--only-changed", "leave alone nodes that have proved that they run the image, and boot it")
    .option("--dry-run", "show what would be erased and written where, then exit")
    .option("--yes", "do not ask before erasing")
    .option("--detach", "start the rollout and exit")
    .addOption(waitOption())
    .option("--json", jsonLinesHelp);
  addNodeChoice(command, "every accepted node")
    .addHelpText(
      "after",
      examples(
        ["controller reimage --all --dry-run", "look first"],
        ["controller reimage --all --image debian-12", "asks, then shows a bar per node"],
        ["controller reimage rack-1 rack-2 --disk /dev/mmcblk0 --yes"],
        ["controller reimage --all --disk 'nvme,size>200GB'"],
        ["controller reimage 'rack-*' -l shelf=2 --only-changed", "what runs the image already stays"],
        ["controller reimage --all --yes --json", "for programs: the plan, every change, the result"],
      ),
    )
    .action(toAction<[string[]], Options>(reimage));
}
