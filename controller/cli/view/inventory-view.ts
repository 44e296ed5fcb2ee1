import { compareNames } from "../../../proto/names/natural-order.ts";
import type { NodeState } from "../../../proto/words/node-state.ts";
import { nameGroups, nameHosts } from "./ansible-names.ts";
import type { NodeView } from "./node-view.ts";

/** The variables of a host; null for what is not known. */
export type HostVariables = Readonly<Record<string, unknown>>;

/** What Ansible reads from an inventory script. */
export interface InventoryView {
  readonly _meta: { readonly hostvars: Readonly<Record<string, HostVariables>> };
  readonly [group: string]: { readonly hosts: readonly string[] } | InventoryView["_meta"];
}

/** A node for the inventory, and the states that hold for it. */
export interface InventoryNode {
  readonly node: NodeView;
  readonly states: readonly NodeState[];
}

/**
 * The inventory as Ansible's script protocol has it, with all variables in `_meta`, so that Ansible asks but once:
 * https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html#inventory-script-conventions
 *
 * @returns also sentences about names that are not what one would expect
 */
export function viewInventory(all: readonly InventoryNode[]): {
  readonly inventory: InventoryView;
  readonly notes: readonly string[];
} {
  const hosts = nameHosts(all.map(({ node }) => node));
  const hostOf = ({ nodeId, name }: NodeView): string => hosts.get(nodeId) ?? name;
  const sorted = all.toSorted((one, other) => compareNames(hostOf(one.node), hostOf(other.node)));
  const members = new Map<string, string[]>();
  for (const each of sorted)
    for (const meaning of meaningsOf(each)) members.set(meaning, [...(members.get(meaning) ?? []), hostOf(each.node)]);
  const names = nameGroups(members.keys());
  const groups = [...members]
    .map(([meaning, of]) => [names.get(meaning) ?? meaning, { hosts: of }] as const)
    .toSorted(([one], [other]) => compareNames(one, other));
  const hostvars = Object.fromEntries(sorted.map((each) => [hostOf(each.node), variablesOf(each)]));
  return {
    inventory: { _meta: { hostvars }, ...Object.fromEntries(groups) },
    notes: [...renamedHosts(sorted, hostOf), ...groupsApart(names)],
  };
}

/** What the groups of a node stand for. A label without a value has no "=". */
function meaningsOf({ node, states }: InventoryNode): readonly string[] {
  const { labels, facts, provedImageName, agent } = node;
  return [
    ...Object.entries(labels).map(([key, value]) => `label ${value === "" ? key : `${key}=${value}`}`),
    ...(facts?.model ? [`model ${facts.model}`] : []),
    ...(provedImageName === null ? [] : [`image ${provedImageName}`]),
    ...(node.config?.profiles ?? []).map((profile) => `profile ${profile}`),
    ...(agent === null ? [] : [`role ${agent.role}`]),
    ...states.map((state) => `state ${state}`),
  ];
}

function variablesOf({ node, states }: InventoryNode): HostVariables {
  const { facts } = node;
  const user = node.config?.loginUser ?? "";
  const login = userName.test(user) ? { ansible_user: user } : {};
  const address = node.address !== null && ipAddress.test(node.address) ? { ansible_host: node.address } : {};
  return {
    ...address,
    ...login,
    pallet_node_id: plain(node.nodeId),
    pallet_name: plain(node.name),
    pallet_accepted: node.accepted,
    pallet_states: states,
    pallet_labels: Object.fromEntries(Object.entries(node.labels).map(([key, value]) => [plain(key), plain(value)])),
    pallet_model: plain(facts?.model),
    pallet_serial: plain(facts?.serial),
    pallet_architecture: plain(facts?.architecture),
    pallet_kernel: plain(facts?.kernel),
    pallet_memory_bytes: facts?.memoryBytes ?? null,
    pallet_image: plain(node.provedImageName),
    pallet_image_digest: plain(node.provedImageDigest),
    pallet_proved_weakly: node.provedWeakly,
    pallet_boot_target: node.bootTarget,
    pallet_index: node.index,
    pallet_profiles: (node.config?.profiles ?? []).map(plain),
    pallet_role: node.agent?.role ?? null,
    pallet_rollout: plain(node.rolloutId),
  };
}

/** useradd(8): whatever a controller says, nothing else goes to ssh. */
const userName = /^[a-z_][a-z0-9_-]{0,31}$/;
const ipAddress = /^[\da-f]*[.:][\da-f.:]+(%[\w.-]+)?$/i;

/**
 * Ansible evaluates "{{ … }}" in the variables of an inventory, on the machine that it runs on, and nodes say
 * themselves what their model is. To mark such text as unsafe is not enough: hostvars['x'] lost that mark before
 * ansible-core 2.18.1 (CVE-2024-11079). So nothing comes through that a template is made of.
 */
function plain(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : text.replace(/[^\w .+:/,@-]/g, "_");
}

function renamedHosts(sorted: readonly InventoryNode[], hostOf: (node: NodeView) => string): readonly string[] {
  return sorted.flatMap(({ node }) =>
    hostOf(node) === node.name
      ? []
      : [
          `the node ${node.name} is the host ${hostOf(node)} here, because Ansible means something else by its name; ` +
            `rename it: controller node rename ${node.name} NAME`,
        ],
  );
}

function groupsApart(names: ReadonlyMap<string, string>): readonly string[] {
  const plainNames = [...names].filter(([meaning, name]) => name.length > meaning.length);
  return plainNames.map(
    ([meaning, name]) => `the group of ${meaning} is ${name}: another one would have the same name`,
  );
}
