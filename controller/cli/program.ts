import { Command, CommanderError, Help, Option } from "commander";
import { Failure } from "../../proto/failure.ts";
import { exitCodeOfSignal } from "../../proto/linux/stop-signals.ts";
import { registerBackup } from "./commands/backup.ts";
import { registerBoardReport } from "./commands/board-report.ts";
import { registerBoot } from "./commands/boot.ts";
import { registerBootTree } from "./commands/boot-tree.ts";
import { registerBroker } from "./commands/broker.ts";
import { registerCa } from "./commands/ca.ts";
import { registerCancel } from "./commands/cancel.ts";
import { registerCompleteValues } from "./commands/complete-values.ts";
import { registerCompletion } from "./commands/completion.ts";
import { registerDisks } from "./commands/disks.ts";
import { registerEvents } from "./commands/events.ts";
import { registerIdentify } from "./commands/identify.ts";
import { registerImages } from "./commands/images.ts";
import { registerImagesAdd } from "./commands/images-add.ts";
import { registerImagesCapture } from "./commands/images-capture.ts";
import { registerImagesDerive } from "./commands/images-derive.ts";
import { registerImagesRemove } from "./commands/images-remove.ts";
import { registerImagesSearch } from "./commands/images-search.ts";
import { registerImagesShow } from "./commands/images-show.ts";
import { registerInventory } from "./commands/inventory.ts";
import { registerMkfs } from "./commands/mkfs.ts";
import { registerNodeAccept } from "./commands/node-accept.ts";
import { registerNodeForget } from "./commands/node-forget.ts";
import { registerNodeLabel } from "./commands/node-label.ts";
import { registerNodeLogs } from "./commands/node-logs.ts";
import { registerNodeRename } from "./commands/node-rename.ts";
import { registerNodeShow } from "./commands/node-show.ts";
import { registerNodeList, registerNodes } from "./commands/nodes.ts";
import { registerOperator } from "./commands/operator.ts";
import { registerProfiles } from "./commands/profiles.ts";
import { registerReboot } from "./commands/reboot.ts";
import { registerReimage } from "./commands/reimage.ts";
import { registerRestore } from "./commands/restore.ts";
import { registerRolloutRetry } from "./commands/rollout-retry.ts";
import { registerRolloutShow } from "./commands/rollout-show.ts";
import { registerRolloutList, registerRollouts } from "./commands/rollouts.ts";
import { registerRootfs } from "./commands/rootfs.ts";
import { registerServe } from "./commands/serve.ts";
import { registerSetup } from "./commands/setup.ts";
import { registerSsh } from "./commands/ssh-known-hosts.ts";
import { registerStatus } from "./commands/status.ts";
import { registerTasks } from "./commands/tasks.ts";
import { registerUnmount } from "./commands/unmount.ts";
import { registerWatch } from "./commands/watch.ts";
import { registerWipe } from "./commands/wipe.ts";
import {
  type CommandContext,
  type CommonOptions,
  StopRequested,
  type ToAction,
  UsageError,
  type Work,
  wantsJson,
} from "./connection/command-context.ts";
import { createControllerClient } from "./connection/controller-client.ts";
import { chooseTarget, type TargetOptions } from "./connection/controller-target.ts";
import type { Effects } from "./connection/effects.ts";
import { findHabit } from "./find-habit.ts";
import { printable, printableJson } from "./render/printable.ts";
import { renderFailure } from "./render/render-failure.ts";
import { shellWord } from "./render/shell-word.ts";
import { chooseLook, createPaint } from "./render/style.ts";
import { exitCode } from "./terminal/exit-code.ts";
import { describeUnknown, namesBelow, readHelp } from "./unknown-command.ts";
import { viewFailure } from "./view/failure-view.ts";

const about = `Pallet installs, verifies and recovers a rack of Raspberry Pis over the network.

"controller serve" runs the controller. Most other commands talk to the controller on this machine through its unix socket. A NODE is given by its name, MAC address or serial number.`;

const epilogue = `
A typical session:
  $ controller serve                             the controller: TFTP, HTTP and gRPC
  $ controller nodes                             nodes that have asked for a boot file
  $ controller node accept --all                 --all now includes them
  $ controller images add debian-12.img.xz       something to install
  $ controller reimage --all --dry-run           what would be erased and written where
  $ controller reimage --all                     asks, writes, verifies, reboots, waits for the proof

Exit codes:
    0  done; for a rollout: every node has proved that it runs the image, and its tasks have succeeded
    1  something failed, or was not confirmed
    2  the command line is invalid; nothing was done
  130  stopped by Ctrl-C, 143 by SIGTERM: work already started on nodes continues

Environment:
  PALLET_SOCKET   unix socket of the controller (default /run/pallet/controller.sock)
  PALLET_SERVER   HOST or HOST:PORT of a controller elsewhere, instead of the socket
  PALLET_BUNDLE   an operator's bundle, for PALLET_SERVER
  PALLET_CACHE    cache folder of the builders (default /var/lib/pallet/cache, in a checkout ~/.cache/pallet)
  NO_COLOR        any value disables colours`;

/** Lines of an error for stderr. */
function describeError(error: unknown, isJson: boolean, color: boolean): string {
  const failure = Failure.from(error);
  if (isJson) return `${printableJson({ error: viewFailure(failure) })}\n`;
  const [first = "", ...rest] = renderFailure(viewFailure(failure));
  return [`${createPaint(color)("red", "error:")} ${first}`, ...rest.map((line) => `  ${line}`), ""].join("\n");
}

function createContext(effects: Effects, options: CommonOptions & TargetOptions, signal: AbortSignal) {
  const { stdout, stderr } = effects;
  const target = chooseTarget(options, effects.env);
  const connect = () => createControllerClient(effects.connect(target), target.name);
  const isJson = wantsJson(options);
  const write = (lines: readonly string[], output: typeof stdout) => {
    if (lines.length > 0) output.write(`${lines.join("\n")}\n`);
  };
  let client: ReturnType<typeof connect> | undefined;
  const context: CommandContext = {
    effects,
    signal,
    look: chooseLook(effects.env, stdout),
    isJson,
    target: target.name,
    get client() {
      client ??= connect();
      return client;
    },
    connect,
    print: (lines) => write(lines, stdout),
    printJson: (value) => stdout.write(`${printableJson(value, 2)}\n`),
    printJsonLine: (value) => stdout.write(`${printableJson(value)}\n`),
    note: (lines) => write(lines, stderr),
    hint: (lines) => {
      if (stdout.isTerminal && !isJson) write(lines, stderr);
    },
    commandLine: (words) => {
      if (options.server !== undefined) {
        const bundle = options.bundle === undefined ? "" : ` --bundle ${shellWord(options.bundle)}`;
        return `controller ${words} --server ${shellWord(options.server)}${bundle}`;
      }
      if (options.socket !== undefined) return `controller ${words} --socket ${shellWord(options.socket)}`;
      return `controller ${words}`;
    },
  };
  return { context, close: () => client?.close() };
}

/** The user's request to stop, if the error only says that the command obeyed it. */
function stopBehind(error: unknown, signal: AbortSignal): StopRequested | undefined {
  if (error instanceof StopRequested) return error;
  const isCancelled = signal.aborted && error instanceof Failure && error.reason === "cancelled";
  return isCancelled && signal.reason instanceof StopRequested ? signal.reason : undefined;
}

/** Turns the work of commands into actions, which tell `report` their exit code. */
function actionsWith(effects: Effects, report: (code: number) => void): ToAction {
  const { stderr, onStop } = effects;
  return (work) =>
    async (...given) => {
      // Commander's convention: the declared arguments, then the options, then the command.
      const command = given.at(-1) as Command;
      const options: CommonOptions & TargetOptions = command.optsWithGlobals();
      const stopping = new AbortController();
      const removeListener = onStop((signal) => stopping.abort(new StopRequested(signal)));
      let close: (() => void) | undefined;
      try {
        const made = createContext(effects, options, stopping.signal);
        close = made.close;
        // Commander's types do not say what it passes; each command's declaration of its arguments does.
        const args = given.slice(0, -2);
        const [word] = command.args;
        if (word !== undefined && command.registeredArguments.length === 0 && command.commands.length > 0)
          throw new UsageError(describeUnknown(word, namesBelow(command), `controller ${command.name()} --help`));
        // Commander takes an option of "images" before and after its commands; only lists have more formats than one.
        if (options.format !== undefined && !command.options.some((option) => option.attributeName() === "format"))
          throw new UsageError(`-o is for lists: ${command.name()} is none`);
        const code = await (work as unknown as Work<unknown[], object>)(made.context, options, ...args);
        report(code ?? exitCode.done);
      } catch (error) {
        const stop = stopBehind(error, stopping.signal);
        if (stop !== undefined) {
          report(exitCodeOfSignal(stop.stopSignal));
          return;
        }
        const { color } = chooseLook(effects.env, stderr);
        stderr.write(describeError(error, wantsJson(options), color));
        report(error instanceof UsageError ? exitCode.usage : exitCode.failed);
      } finally {
        removeListener();
        close?.();
      }
    };
}

/** The tree of commands, with every option and its help, for commander to parse a command line with. */
export function buildProgram(
  { stdout, stderr, env, version, serve }: Pick<Effects, "stdout" | "stderr" | "env" | "version" | "serve">,
  toAction: ToAction,
): Command {
  const program = new Command("controller");
  program
    .description(about)
    .summary("install, verify and recover a rack of Raspberry Pis over the network")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help for the program or a command")
    .addHelpCommand(
      new Command("help").argument("[command]").description("show help for a command").helpGroup("The controller:"),
    )
    .configureHelp({
      showGlobalOptions: true,
      // Where words of several kinds follow each other, only the usage tells which.
      subcommandTerm(command) {
        const isMixed = command.registeredArguments[0]?.name() === "words";
        return isMixed ? `${command.name()} ${command.usage()}` : new Help().subcommandTerm(command);
      },
    })
    .addOption(
      new Option(
        "--socket <path>",
        "unix socket of the controller (default: PALLET_SOCKET, or /run/pallet/controller.sock)",
      ),
    )
    .addOption(
      new Option(
        "--server <host[:port]>",
        "controller on another machine; an operator's --bundle proves who you are (default: PALLET_SERVER)",
      ).conflicts("socket"),
    )
    .addOption(
      new Option(
        "--bundle <file>",
        'with --server: what "controller operator add" made for you (default: PALLET_BUNDLE)',
      ).conflicts("socket"),
    )
    .addHelpText("after", epilogue)
    .showHelpAfterError("(see --help)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => (stdout.isTerminal ? Math.min(120, stdout.size().columns) : 100),
      getErrHelpWidth: () => (stderr.isTerminal ? Math.min(120, stderr.size().columns) : 100),
      getOutHasColors: () => chooseLook(env, stdout).color,
      getErrHasColors: () => chooseLook(env, stderr).color,
      outputError: (text, write) => write(text),
    });

  program.commandsGroup("The controller:");
  registerServe(program, serve, toAction);
  registerSetup(program, toAction);
  registerStatus(program, toAction);
  registerEvents(program, toAction);
  registerOperator(program, toAction);
  registerCa(program, toAction);
  registerBackup(program, toAction);
  registerRestore(program, toAction);
  registerCompletion(program, toAction);
  registerCompleteValues(program, toAction);
  program.commandsGroup("Nodes:");
  registerNodes(program, toAction);
  const node = program
    .command("node")
    .description("list, show, rename, accept, label or forget nodes, or read their logs")
    .helpCommand(false);
  registerNodeList(node, toAction);
  registerNodeShow(node, toAction);
  registerNodeLogs(node, toAction);
  registerNodeRename(node, toAction);
  registerNodeAccept(node, toAction);
  registerNodeLabel(node, toAction);
  registerNodeForget(node, toAction);
  registerBoot(program, toAction);
  registerReboot(program, toAction);
  registerIdentify(program, toAction);
  registerBoardReport(program, toAction);
  registerInventory(program, toAction);
  registerSsh(program, toAction);
  program.commandsGroup("Disks:");
  registerDisks(program, toAction);
  registerMkfs(program, toAction);
  registerWipe(program, toAction);
  registerUnmount(program, toAction);
  program.commandsGroup("Images and rollouts:");
  const images = registerImages(program, toAction).helpCommand(false);
  registerImagesAdd(images, toAction);
  registerImagesSearch(images, toAction);
  registerImagesDerive(images, toAction);
  registerImagesCapture(images, toAction);
  registerImagesShow(images, toAction);
  registerImagesRemove(images, toAction);
  registerProfiles(program, toAction);
  registerReimage(program, toAction);
  registerRollouts(program, toAction);
  const rollout = program
    .command("rollout")
    .description("list or show rollouts, or try again what failed in one")
    .helpCommand(false);
  registerRolloutList(rollout, toAction);
  registerRolloutShow(rollout, toAction);
  registerRolloutRetry(rollout, toAction);
  registerTasks(program, toAction);
  registerWatch(program, toAction);
  registerCancel(program, toAction);
  program.commandsGroup("What nodes netboot into:");
  registerRootfs(program, toAction);
  registerBootTree(program, toAction);
  return program;
}

/**
 * Runs one command line and returns its exit code (see exit-code.ts). It never throws and never ends the process:
 * the caller sets `process.exitCode`.
 *
 * @param argv the arguments after the program's name
 */
export async function runCommandLine(argv: readonly string[], effects: Effects): Promise<number> {
  let code: number = exitCode.done;
  const toAction = actionsWith(effects, (reported) => {
    code = reported;
  });
  const program = buildProgram(effects, toAction);
  // Not for people, so in no help and no manual.
  registerBroker(program, effects.broker, toAction);
  const help = readHelp(argv, program);
  if (help !== undefined && "problem" in help) {
    effects.stderr.write(`error: ${printable(help.problem)}\n`);
    return exitCode.usage;
  }
  const habit = findHabit(argv);
  if (habit !== undefined) {
    const commands = habit.commands.map((command) => `  ${printable(command)}`);
    effects.stderr.write(
      `error: "${printable(habit.typed)}" is no command here; did you mean:\n${commands.join("\n")}\n(see --help)\n`,
    );
    return exitCode.usage;
  }
  try {
    await program.parseAsync([...(help?.argv ?? argv)], { from: "user" });
  } catch (error) {
    // Commander has already printed its message; help and version also end this way, with exit code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
    effects.stderr.write(describeError(error, false, false));
    return exitCode.failed;
  }
  return code;
}
