import { resolve } from "node:path";
import type { Command } from "commander";
import { readProfiles } from "../../profiles/read-profiles.ts";
import type { CommandContext, ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { renderNodeConfig, renderProfileList, renderProfileProblems } from "../render/render-profiles.ts";
import { formatCount } from "../render/units.ts";
import { exitCode } from "../terminal/exit-code.ts";
import {
  type NodeConfigView,
  type ProfileProblemView,
  viewNodeConfig,
  viewProfile,
  viewProfileProblem,
} from "../view/profile-view.ts";
import { areSelected, forEachNode } from "./for-each-node.ts";
import { addNodeChoice, chooseNodes, type NodeChoiceOptions, nodesHelp } from "./node-choice.ts";
import { examples, jsonHelp } from "./option-texts.ts";

interface Checked {
  readonly directory: string;
  readonly profiles: number;
  /** Null where no controller was asked. */
  readonly nodes: number | null;
  readonly problems: readonly ProfileProblemView[];
}

/** Checks the files of a folder of this machine; what they say for nodes only a controller knows. */
async function checkFolder(folder: string): Promise<Checked> {
  const directory = resolve(folder);
  const { profiles, problems } = await readProfiles(directory);
  return {
    ...{ directory, profiles: profiles.length, nodes: null },
    problems: problems.map(({ place: { file, line = 0, column = 0, field }, problem }) =>
      viewProfileProblem({ file, line, column, field, problem, nodes: [] }),
    ),
  };
}

function describeChecked({ directory, profiles, nodes }: Checked): string {
  const whom = nodes === null ? "" : `, for ${formatCount(nodes, "accepted node")} too`;
  return `${formatCount(profiles, "profile")} in ${printable(directory)}: nothing is wrong${whom}.`;
}

/** `controller profiles list|check|show`. */
export function registerProfiles(program: Command, toAction: ToAction): void {
  const profiles = program
    .command("profiles")
    .description("list or check the profiles, or show what they say for a node")
    .helpCommand(false);
  profiles
    .command("list")
    .alias("ls")
    .description(
      "list the profiles in the order in which they are merged\n\n" +
        "A profile is a file *.yaml in the folder of profiles (setting profileDirectory), and says what the systems of some nodes are to " +
        "be: host name, users, SSH, network, files, services, tasks. Of two that say something of the same, the later wins.",
    )
    .summary("list the profiles in the order in which they are merged")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller profiles list"]))
    .action(
      toAction<[], object>(async ({ client, signal, isJson, print, printJson, note, look }) => {
        const answer = await client.listProfiles({}, signal);
        const views = answer.profiles.map(viewProfile);
        const problems = answer.problems.map(viewProfileProblem);
        if (isJson) printJson({ directory: answer.directory, profiles: views, problems });
        else if (views.length === 0 && problems.length === 0)
          note([`there are no profiles in ${printable(answer.directory)}`]);
        else print(renderProfileList(views, look));
        if (!isJson) note(renderProfileProblems(problems));
        return problems.length > 0 ? exitCode.failed : exitCode.done;
      }),
    );
  profiles
    .command("check")
    .description(
      "list everything that is wrong with the profiles\n\n" +
        "With a folder, the files in it are checked, without a controller: in a hook of git, or in CI. Without one, the controller " +
        "checks its own, and what they say for each accepted node. The exit code is 1 if there is anything.",
    )
    .summary("list everything that is wrong with the profiles")
    .argument("[folder]", "a folder of profiles on this machine")
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller profiles check", "the controller's, for its nodes"],
        ["controller profiles check ./profiles"],
      ),
    )
    .action(
      toAction<[string | undefined], object>(async (context, _options, folder) => {
        const { isJson, print, printJson } = context;
        const checked = folder === undefined ? await checkOfController(context) : await checkFolder(folder);
        const isFine = checked.problems.length === 0;
        if (isJson) printJson({ isFine, ...checked });
        else print(isFine ? [describeChecked(checked)] : renderProfileProblems(checked.problems));
        return isFine ? exitCode.done : exitCode.failed;
      }),
    );
  registerProfilesShow(profiles, toAction);
}

function registerProfilesShow(parent: Command, toAction: ToAction): void {
  const command = parent
    .command("show")
    .description(
      "show what the profiles say for nodes, and what would be written where\n\n" +
        'Secrets are shown as "(secret)". The exit code is 1 if the image cannot be made that, for any of the nodes. With --json, ' +
        "nodes that are not one named in full are a list.",
    )
    .summary("show what the profiles say for nodes, and what would be written where")
    .argument("[nodes...]", nodesHelp)
    .option("--image <image>", "the image (default: the one that the node has, or else the only one in the catalogue)")
    .option("--json", jsonHelp);
  addNodeChoice(command, "every accepted node")
    .addHelpText(
      "after",
      examples(
        ["controller profiles show rack-1"],
        ["controller profiles show -l rack=a --image debian", "those with a label"],
      ),
    )
    .action(
      toAction<[string[]], NodeChoiceOptions & { readonly image?: string }>(async (context, options, nodes) => {
        const { client, signal, isJson, print, printJson } = context;
        const chosen = await chooseNodes(context, "show", { options, nodes, acceptedOnly: true });
        const views = new Map<string, NodeConfigView>();
        const code = await forEachNode(context, chosen, async ({ node }) => {
          const view = viewNodeConfig(await client.renderNodeConfig({ node, imageName: options.image ?? "" }, signal));
          views.set(node, view);
          return view.refusals.length > 0 ? exitCode.failed : exitCode.done;
        });
        // In the order in which they were chosen, whichever was answered first.
        const shown = chosen.flatMap(({ node, name }) => {
          const view = views.get(node);
          return view === undefined ? [] : [{ node: name, view }];
        });
        if (!isJson)
          print(shown.flatMap(({ node, view }, at) => [...(at > 0 ? [""] : []), ...renderNodeConfig(node, view)]));
        else if (areSelected(chosen)) printJson(shown.map(({ node, view }) => ({ node, ...view })));
        else for (const { view } of shown) printJson(view);
        return code;
      }),
    );
}

async function checkOfController({ client, signal }: Pick<CommandContext, "client" | "signal">): Promise<Checked> {
  const { problems, ...checked } = await client.checkProfiles({}, signal);
  return { ...checked, problems: problems.map(viewProfileProblem) };
}
