import { type Command, Option } from "commander";
import { Failure } from "../../../proto/failure.ts";
import { closestWords } from "../../../proto/names/closest-word.ts";
import type { NodeState } from "../../../proto/words/node-state.ts";
import { type CommandContext, type ToAction, UsageError } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { viewInventory } from "../view/inventory-view.ts";
import { viewNode } from "../view/node-view.ts";
import { selectNodes } from "./node-choice.ts";
import { examples } from "./option-texts.ts";

interface Options {
  readonly list?: boolean;
  readonly host?: string;
}

/** The states that the controller is asked about; what is in none of a pair is in the other. */
const asked = ["online", "discovered", "proved", "failed", "reimaging"] as const satisfies readonly NodeState[];

async function readInventory(context: CommandContext): Promise<ReturnType<typeof viewInventory>> {
  // Accepted nodes alone: a pending one is whatever machine on the network claims to be it.
  const select = (...states: readonly NodeState[]) =>
    selectNodes(context, { nodes: [], all: true, labelSelector: "", states }, true);
  // Which states a node is in is the controller's to say.
  const [nodes, ...inState] = await Promise.all([select(), ...asked.map((state) => select(state))]);
  const ids = new Map(asked.map((state, index) => [state, new Set(inState[index]?.map(({ nodeId }) => nodeId))]));
  return viewInventory(
    (nodes ?? []).map((node) => {
      const held = asked.filter((state) => ids.get(state)?.has(node.nodeId));
      const states: readonly NodeState[] = [
        "accepted",
        ...held,
        ...(held.includes("online") ? [] : (["offline"] as const)),
        ...(held.includes("proved") ? [] : (["unproved"] as const)),
      ];
      return { node: viewNode(node), states };
    }),
  );
}

async function show(context: CommandContext, { list, host }: Options): Promise<undefined> {
  if (list !== true && host === undefined) throw new UsageError("give --list, or --host NAME, as Ansible does");
  const { inventory, notes } = await readInventory(context);
  if (host === undefined) {
    context.printJson(inventory);
    context.note(notes.map((note) => printable(note)));
    return undefined;
  }
  const { hostvars } = inventory._meta;
  const variables = Object.hasOwn(hostvars, host) ? hostvars[host] : undefined;
  if (variables === undefined) {
    const near = closestWords(host, Object.keys(hostvars)).slice(0, 3);
    const meant = near.length === 0 ? "" : `; there ${near.length === 1 ? "is" : "are"} ${near.join(", ")}`;
    throw new Failure(
      "invalid",
      `the inventory has no host ${host}${meant}; it has accepted nodes alone: "controller nodes --accepted" lists them`,
    );
  }
  context.printJson(variables);
  return undefined;
}

/** `controller inventory --list | --host NAME`. */
export function registerInventory(program: Command, toAction: ToAction): void {
  program
    .command("inventory")
    .description(
      "show the accepted nodes as Ansible's dynamic inventory\n\n" +
        "Ansible runs an inventory script with --list or --host NAME, and this command answers as one: a script of one line " +
        'that passes both on, exec controller inventory "$@", is an inventory. Hosts are accepted nodes by name; ansible_host is ' +
        "the address of a node, where one is known. Groups are label_KEY_VALUE (label_KEY where the value is empty), " +
        "model_MODEL, image_NAME (the image that it proved), profile_NAME (of those that made its system), role_netboot and role_resident (its agent's), and state_STATE: " +
        'accepted, online, offline, discovered, proved, unproved, failed, reimaging. What is no letter, digit or "_" is "_" in ' +
        "them; where two would have the same name, both end in 8 digits of a digest. Variables begin with pallet_, apart from ansible_host and " +
        "ansible_user, the only user whom the profiles let in by a key.",
    )
    .summary("show the accepted nodes as Ansible's dynamic inventory")
    .addOption(new Option("--list", "every host with its variables, and every group").conflicts("host"))
    .option("--host <node>", "the variables of one host")
    .addHelpText(
      "after",
      examples(
        ["controller inventory --list"],
        ["controller inventory --host rack-1"],
        ["controller inventory --list --server 10.0.0.1 --bundle ada.pem", "from elsewhere"],
      ),
    )
    .action(toAction<[], Options>(show));
}
