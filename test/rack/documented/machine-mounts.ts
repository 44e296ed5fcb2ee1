import { checkout } from "../../programs/checkout.ts";
import { ended, firstLine, spawnLeashed } from "../../programs/leashed-process.ts";
import { withoutPallet } from "../../programs/without-pallet.ts";
import type { NetworkNamespace } from "../network-namespace.ts";

/** A computer that has the programs of this one, and folders of its own where Pallet keeps its things. */
export interface MachineMounts {
  /** The command that runs a program there, in its working directory. */
  command(program: string, ...args: readonly string[]): readonly [string, ...string[]];
  /**
   * Runs a code block of the documentation there and returns what it said; throws with all of that when a command of it
   * fails, and when the signal aborts, which ends it by SIGTERM.
   */
  runBlock(script: string, options?: BlockOptions): Promise<string>;
  close(): Promise<void>;
}

/** How to run a code block. */
export interface BlockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Variables that it takes from its user. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** What the computer's folders are. */
export interface MachineFolders {
  /** Becomes /var/lib/pallet; there already. */
  readonly state: string;
  /** Becomes /var/lib/pallet/cache, so that what is slow to build is not built for every test; there already. */
  readonly cache: string;
  /** Becomes /run/pallet; there already. */
  readonly run: string;
  /** Where its user works; default: the checkout. */
  readonly work?: string;
  /** An empty folder for mounts that nobody else sees. */
  readonly private: string;
}

/** Here "sh" is the program's name; what follows it are the folders. */
const mounts = `
set -eu
for name in state cache run; do mkdir "$4/$name"; done
mount --bind "$1" "$4/state"
mount --bind "$2" "$4/cache"
mount --bind "$3" "$4/run"
mkdir "$4/ram"
mount -t tmpfs tmpfs "$4/ram"
for folder in etc run var/lib; do
  mkdir -p "$4/ram/$folder/upper" "$4/ram/$folder/work"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$4/ram/$folder/upper,workdir=$4/ram/$folder/work" "/$folder"
done
mkdir -p /etc/pallet /run/pallet /var/lib/pallet
mount --bind "$4/state" /var/lib/pallet
mkdir -p /var/lib/pallet/cache
mount --bind "$4/cache" /var/lib/pallet/cache
mount --bind "$4/run" /run/pallet
echo ready
exec sleep infinity
`;

/**
 * Makes it: a mount namespace in which /etc, /run and /var/lib are what they are here, but what is written there stays
 * in it. It vanishes with this process.
 *
 * @param network where its programs run; default: on this machine's network, as a computer that has an uplink
 */
export async function createMachineMounts(folders: MachineFolders, network?: NetworkNamespace): Promise<MachineMounts> {
  const script = [mounts, "sh", folders.state, folders.cache, folders.run, folders.private] as const;
  const net = network === undefined ? [] : [`--net=${network.path}`];
  // unshare(1) makes the mounts private, so that none is seen outside.
  const holder = spawnLeashed("nsenter", [...net, "--", "unshare", "--mount", "sh", "-c", ...script]);
  const complaints: string[] = [];
  holder.stderr?.setEncoding("utf8").on("data", (chunk: string) => complaints.push(chunk));
  const gone = ended(holder);
  await firstLine(holder).catch((cause: unknown) => {
    throw new Error(`could not mount the machine's folders: ${complaints.join("")}`, { cause });
  });
  const command = (program: string, ...args: readonly string[]): readonly [string, ...string[]] => {
    // nsenter(1) goes to the root of the namespace; its --wd would keep a folder that is not of it.
    const shell = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", folders.work ?? checkout, program, ...args];
    return ["nsenter", ...net, `--mount=/proc/${holder.pid}/ns/mnt`, "--", ...shell];
  };
  return {
    command,
    async runBlock(script, { signal, variables } = {}) {
      const [program, ...args] = command("bash", "-euo", "pipefail", "-c", script);
      const environment = { ...withoutPallet(process.env), DEBIAN_FRONTEND: "noninteractive", NO_COLOR: "1" };
      const child = spawnLeashed(program, args, { ...environment, ...variables });
      const said: string[] = [];
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding("utf8").on("data", (chunk: string) => said.push(chunk));
      const stop = () => child.kill("SIGTERM");
      signal?.addEventListener("abort", stop, { once: true });
      const { code } = await ended(child);
      signal?.removeEventListener("abort", stop);
      signal?.throwIfAborted();
      if (code !== 0) throw new Error(`exit code ${code} of\n${script}${said.join("")}`);
      return said.join("");
    },
    async close() {
      holder.kill("SIGKILL");
      await gone;
    },
  };
}
