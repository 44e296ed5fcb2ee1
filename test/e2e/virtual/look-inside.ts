import type { Operator } from "./operator.ts";
import { canary } from "./profiles.ts";

/** A secret as it is, and as a file of JSON may have it. */
const searched = [canary, Buffer.from(canary).toString("base64").slice(0, -4)].map((word) => `-e ${word}`);

/** What a node's programs say of its system; each without the end of its last line. */
const questions = {
  hostname: "hostname",
  ownName: 'getent hosts "$(hostname)"',
  machineId: "cat /etc/machine-id",
  state: "systemctl is-system-running",
  failed: "systemctl --failed --plain --no-legend",
  groups: "id -Gn ada",
  // Debian has users whose homes are not there.
  accounts: "{ pwck -r; grpck -r; } | grep -v \"^user '.*': directory .* does not exist$\"",
  motd: "cat /etc/motd",
  passwords: 'sshd -T | grep -E "^passwordauthentication"',
  hostKeys: "cat /etc/ssh/ssh_host_*_key.pub",
  ownHostKey: "ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key",
  units: "systemctl is-enabled ssh.service fstrim.timer systemd-pstore.service",
  greeter: "systemctl is-active greeter.service; systemctl is-enabled greeter.service",
  folder: 'stat -c "%a %U %G" /srv/web',
  ben: 'if id ben >/dev/null 2>&1; then sudo -l -U ben | grep -o "(.*"; else echo no; fi',
  joined: "cat /var/lib/joined",
  tasks: 'stat -c "%a %U" /etc/pallet/tasks.json',
  journal: "journalctl --quiet --output=cat --unit=pallet-tasks.service",
  cloudInit: "cat /run/cloud-init/result.json",
  cloudInitRuns: "cat /var/log/cloud-init-ran",
  // The words come by this script's input, so that no log has them; journald compresses only what is longer. It finds
  // what is there.
  secrets: `echo ${canary} >/tmp/there; grep -rlF ${searched.join(" ")} /etc /run /var /root /home /srv /tmp; rm /tmp/there`,
} as const;

/** The answers of a node. */
export type Inside = Readonly<Record<keyof typeof questions, string>>;

/** Asks a node by one login, because each takes emulated seconds. */
export async function lookInside(operator: Operator, node: string): Promise<Inside> {
  const mark = "=== ";
  const script = Object.entries(questions).map(
    ([name, command]) => `echo "${mark}${name}"; { ${command}; } </dev/null 2>&1`,
  );
  const said = await operator.onNode(node, script.join("\n"));
  const answers = said
    .split(`\n${mark}`)
    .map((part) => part.replace(mark, ""))
    .map((part) => {
      const [name = "", ...lines] = part.split("\n");
      return [name, lines.join("\n").trim()] as const;
    });
  return Object.fromEntries(answers) as Inside;
}
