import type { RebootingMachine } from "./rebooting-machine.ts";

/**
 * All that is below a machine's /etc, a line each: names, kinds, permissions and contents. Left out are the lock and the
 * copies of before that the tools for users keep (passwd(5)), which stay.
 *
 * @param except names of further files to leave out
 */
export async function etcOf(machine: RebootingMachine, except: readonly string[] = []): Promise<string> {
  const names = [".pwd.lock", ...except].map((name) => `! -name ${name}`).join(" ");
  const copies = "! -regex './g?\\(shadow\\|passwd\\|group\\)-'";
  const each = "-printf '%P %y %m %l\\n' -type f -exec sha256sum {} +";
  return await machine.run("sh", "-c", `cd /etc && find . ${names} ${copies} ${each} | sort`);
}
