import type { Command } from "commander";
import { buildRootfs, type RootfsRequest, rootfsBuildRequirements } from "../../rootfs/build-rootfs.ts";
import type { Run } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { formatBytes, formatCount } from "../render/units.ts";
import { installHelp, installIfAsked } from "./install-option.ts";
import { examples, jsonHelp, mirrorHelp, suiteHelp } from "./option-texts.ts";
import { agentHelp, rootfsPaths } from "./rootfs-options.ts";

interface Options {
  readonly out?: string;
  readonly agent?: string;
  readonly sshKeys?: string;
  readonly consoleShell?: true;
  readonly suite: string;
  readonly mirror: string;
  readonly refresh?: true;
  readonly install?: true;
}

/** `controller rootfs build`. */
export function registerRootfsBuild(parent: Command, run: Run): void {
  parent
    .command("build")
    .description(
      "build the root filesystem that every netbooted node shares\n\n" +
        "Debian for arm64, as small as serves, with the agent under busybox's init, a kernel, and an initial RAM disk that " +
        "mounts it by NFS. It is to be exported read-only: what a node writes stays in its RAM. It holds no secrets. There " +
        "is no login unless --ssh-keys or --console-shell asks for one. A second build takes no time. Needs root; what else " +
        "it needs on this machine it looks for first.",
    )
    .summary("build the root filesystem of netbooted nodes")
    .option(
      "--out <folder>",
      "gets root/, vmlinuz, initrd.img, device-trees/, manifest.json (default: /var/lib/pallet/rootfs)",
    )
    .option("--agent <file>", agentHelp)
    .option("--ssh-keys <file>", "public keys that may log in as root by ssh (default: no ssh server)")
    .option("--console-shell", "a root shell on the console, for whoever stands there")
    .option("--suite <name>", suiteHelp, "bookworm")
    .option("--mirror <url>", mirrorHelp, "http://deb.debian.org/debian")
    .option("--refresh", "fetch Debian's packages anew, for security updates")
    .option("--install", installHelp)
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller rootfs build", "into /var/lib/pallet/rootfs"],
        ["controller rootfs build --out rootfs --ssh-keys ~/.ssh/id_ed25519.pub"],
      ),
    )
    .action(
      run<[], Options>(async (context, options) => {
        const { signal, isJson, print, printJson, note } = context;
        const paths = rootfsPaths();
        const { out, agent, sshKeys, consoleShell = false, suite, mirror, refresh = false } = options;
        const request: RootfsRequest = {
          outDirectory: out ?? paths.outDirectory,
          cacheDirectory: paths.cacheDirectory,
          agentFile: agent ?? paths.agentFile,
          sshKeysFile: sshKeys,
          consoleShell,
          suite,
          mirror,
          refresh,
          log: (line) => note([printable(line)]),
          signal,
        };
        await installIfAsked(options, context, await rootfsBuildRequirements(request));
        const built = await buildRootfs(request);
        const { manifest, rootFolder, kernelPath, initrdPath, changed } = built;
        if (isJson) return void printJson({ rootFolder, kernelPath, initrdPath, changed, ...manifest });
        const ssh = manifest.sshKeys === 0 ? "off" : `on, for ${formatCount(manifest.sshKeys, "key")}`;
        print([
          changed ? "built" : "nothing has changed",
          `  root    ${printable(rootFolder)}  ${formatBytes(manifest.root.sizeBytes)}, ${formatCount(manifest.root.files, "file")}`,
          `  kernel  ${printable(kernelPath)}  ${formatBytes(manifest.kernel.sizeBytes)}, ${printable(manifest.kernelRelease)}`,
          `  initrd  ${printable(initrdPath)}  ${formatBytes(manifest.initrd.sizeBytes)}`,
          `  agent   ${formatBytes(manifest.agent.sizeBytes)}, sha256 ${manifest.agent.digest.slice(0, 12)}`,
          `  ssh     ${ssh}`,
        ]);
      }),
    );
}
