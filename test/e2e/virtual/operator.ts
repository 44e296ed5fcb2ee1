import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import type { VirtualRack } from "../../rack/virtual/virtual-rack.ts";

/** Somebody at the management machine who has an SSH key. */
export interface Operator {
  /** Runs commands there, with `controller` on the PATH; throws with all that they said when one fails. */
  run(script: string): Promise<string>;
  /** The same with a block of the documentation. */
  runDocumented(name: string): Promise<string>;
  /** Runs a script as root on a node, by ssh and sudo, knowing the node by its host key alone. */
  onNode(node: string, script: string): Promise<string>;
  /** Ends the connections that Ansible keeps open. */
  leave(): Promise<void>;
}

/** The key is "ada" in the machine's working directory, and known_hosts is what Pallet says. */
export async function createOperator({ machine, folder }: VirtualRack): Promise<Operator> {
  const home = path.join(folder, "home");
  await mkdir(home);
  const variables = {
    ...{ PATH: `${machine.workingDirectory}/dist:${process.env["PATH"]}`, HOME: home, LC_ALL: "C.UTF-8" },
    // ssh reads its own settings, and keys, from the folder that passwd names.
    ANSIBLE_PRIVATE_KEY_FILE: path.join(machine.workingDirectory, "ada"),
  };
  const run = (script: string) => machine.run(script, { variables });
  return {
    run,
    runDocumented: (name) => machine.runDocumented(name, { variables }),
    async onNode(node, script) {
      const host = JSON.parse(await run(`controller inventory --host ${node}`));
      assert.match(host.ansible_host, /^10\.0\.0\.\d+$/);
      const options = "-F none -i ada -o UserKnownHostsFile=known_hosts -o StrictHostKeyChecking=yes -o BatchMode=yes";
      return await run(
        `controller ssh known-hosts >known_hosts
ssh ${options} ada@${host.ansible_host} sudo -n sh -s <<'END OF SCRIPT'
${script}
END OF SCRIPT`,
      );
    },
    leave: async () => {
      await run('for socket in "$HOME"/.ansible/cp/*; do ssh -O exit -o ControlPath="$socket" any || true; done');
    },
  };
}
