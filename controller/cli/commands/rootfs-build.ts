import type { Command } from "commander";
import { defaultMirror, defaultSuite } from "../../artefacts/debian-defaults.ts";
import { buildRootfs, type RootfsRequest, rootfsBuildRequirements } from "../../rootfs/build-rootfs.ts";
import type { SecondKernel } from "../../rootfs/rootfs-manifest.ts";
import type { ToAction } from "../connection/command-context.ts";
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
  readonly backports?: true;
  readonly suite: string;
  readonly mirror: string;
  readonly refresh?: true;
  readonly install?: true;
}

/** `controller rootfs build`. */
export function registerRootfsBuild(parent: Command, toAction: ToAction): void {
  parent
    .command("build")
    .description(
      "build the root filesystem that every netbooted node shares\n\n" +
        "A minimal Debian for arm64 with the agent, started by busybox's init; a kernel; and an initrd that mounts the root " +
        "filesystem over NFS. Export it read-only: what a node writes stays in its RAM. It contains no secrets. Nobody can " +
        "log in unless --ssh-keys or --console-shell allows it. Boots that begin from then on get the new version, without a " +
        "restart of anything; nodes that run keep theirs. If nothing has changed, a second build takes no time. Needs " +
        "root; other missing requirements are reported before anything is built.",
    )
    .summary("build the root filesystem of netbooted nodes")
    .option("--out <folder>", "where to keep the versions (default: /var/lib/pallet/rootfs)")
    .option("--agent <file>", agentHelp)
    .option("--ssh-keys <file>", "public keys that may log in as root over SSH (default: no SSH server)")
    .option("--console-shell", "a root shell on the console, for anyone with physical access")
    .option(
      "--backports",
      "add the kernel of Debian's trixie-backports, for Raspberry Pi 5 and 2 v1.2 (103 MB more to fetch)",
    )
    .option("--suite <name>", suiteHelp, defaultSuite)
    .option("--mirror <url>", mirrorHelp, defaultMirror)
    .option("--refresh", "fetch Debian's packages again, for security updates")
    .option("--install", installHelp)
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller rootfs build", "into /var/lib/pallet/rootfs"],
        ["controller rootfs build --backports", "also for Raspberry Pi 5"],
        ["controller rootfs build --out rootfs --ssh-keys ~/.ssh/id_ed25519.pub"],
      ),
    )
    .action(
      toAction<[], Options>(async (context, options) => {
        const { signal, isJson, print, printJson, note } = context;
        const paths = rootfsPaths();
        const {
          out,
          agent,
          sshKeys,
          consoleShell = false,
          backports = false,
          suite,
          mirror,
          refresh = false,
        } = options;
        const request: RootfsRequest = {
          outDirectory: out ?? paths.outDirectory,
          cacheDirectory: paths.cacheDirectory,
          agentFile: agent ?? paths.agentFile,
          sshKeysFile: sshKeys,
          consoleShell,
          backports,
          suite,
          mirror,
          refresh,
          log: (line) => note([printable(line)]),
          signal,
        };
        await installIfAsked(options, context, await rootfsBuildRequirements(request));
        const built = await buildRootfs(request);
        const { manifest, rootFolder, kernelPath, initrdPath, changed } = built;
        if (isJson) return void printJson({ id: built.id, rootFolder, kernelPath, initrdPath, changed, ...manifest });
        const ssh = manifest.sshKeys === 0 ? "off" : `on, for ${formatCount(manifest.sshKeys, "key")}`;
        print([
          changed ? "built" : "up to date",
          `  version ${built.id}`,
          `  root    ${printable(rootFolder)}  ${formatBytes(manifest.root.sizeBytes)}, ${formatCount(manifest.root.files, "file")}`,
          `  kernel  ${printable(kernelPath)}  ${formatBytes(manifest.kernel.sizeBytes)}, ${printable(manifest.kernelRelease)}`,
          `  initrd  ${printable(initrdPath)}  ${formatBytes(manifest.initrd.sizeBytes)}`,
          ...renderSecond(manifest.backports),
          `  agent   ${formatBytes(manifest.agent.sizeBytes)}, sha256 ${manifest.agent.digest.slice(0, 12)}`,
          `  ssh     ${ssh}`,
        ]);
      }),
    );
}

function renderSecond(second: SecondKernel | undefined): readonly string[] {
  if (second === undefined) return [];
  const { kernelRelease, kernel, initrd } = second;
  return [
    `  second  ${printable(kernelRelease)}, kernel ${formatBytes(kernel.sizeBytes)}, initrd ${formatBytes(initrd.sizeBytes)}`,
  ];
}
