import process from "node:process";
import { describeFallback, serveOptions } from "../config/document-config.ts";
import { defaultConfigFile } from "../config/read-config.ts";
import { flagOf, type Setting, settingList, settings, variableOf } from "../config/settings.ts";
import { planCompletion } from "./completion/plan-completion.ts";
import { renderCompletion } from "./completion/render-completion.ts";
import { defaultSocket } from "./connection/controller-target.ts";
import { createProcessEffects } from "./connection/process-effects.ts";
import type { Edition, ManualPage } from "./manual/page.ts";
import {
  commandsWithPages,
  type FileEntry,
  renderCommandPage,
  renderProgramPage,
} from "./manual/render-command-page.ts";
import { type DocumentedSetting, renderSettingsPage } from "./manual/render-settings-page.ts";
import { buildProgram } from "./program.ts";
import type { CommandShape } from "./tree/command-shape.ts";
import { describeCommand } from "./tree/describe-command.ts";

/** The commands of the controller as they are declared; nothing is run. */
export function describeProgram(version = ""): CommandShape {
  const unexpected = () => Promise.reject(new Error("commands are only described here"));
  // Without the help of serve: that is the settings' own page.
  const serve = { options: serveOptions, run: unexpected, check: unexpected, install: unexpected };
  const { stdout, stderr } = createProcessEffects();
  const program = buildProgram({ stdout, stderr, env: process.env, version, serve }, () => unexpected);
  return describeCommand(program);
}

/** The manual: controller(1), a page for each of its commands, and pallet.yaml(5). */
export function renderManual(edition: Edition): readonly ManualPage[] {
  const program = describeProgram(edition.version);
  const settingsPage = renderSettingsPage(defaultConfigFile, settingList.map(documentSetting), edition);
  const surroundings = { edition, program, filesOf, settingsPage };
  return [
    renderProgramPage(surroundings),
    ...commandsWithPages(program).map((command) => renderCommandPage(command, surroundings)),
    settingsPage,
  ];
}

/**
 * What a package puts below /usr/share beside the program: the manual and the completions of the shells. The same
 * version and date give the same bytes; to compress the manual is left to the packager.
 *
 * @param edition the version as `controller --version` prints it, and the day of its release, YYYY-MM-DD
 * @returns the files by their paths below /usr/share, for example "man/man1/controller.1"
 */
export function shareFiles(edition: Edition): ReadonlyMap<string, string> {
  const plan = planCompletion(describeProgram(edition.version));
  const { program } = plan;
  return new Map([
    ...renderManual(edition).map(({ name, section, text }) => [`man/man${section}/${name}.${section}`, text] as const),
    [`bash-completion/completions/${program}`, renderCompletion("bash", plan)],
    [`zsh/vendor-completions/_${program}`, renderCompletion("zsh", plan)],
    [`fish/vendor_completions.d/${program}.fish`, renderCompletion("fish", plan)],
  ]);
}

/** Pages of commands that have to do with the files of the controller itself. */
const pagesWithState: readonly string[] = ["", "-serve", "-setup", "-backup", "-restore", "-rootfs", "-boot-tree"].map(
  (suffix) => `controller${suffix}`,
);

function filesOf(page: string): readonly FileEntry[] {
  const socket: FileEntry = [defaultSocket, "the unix socket of the controller on this machine"];
  if (!pagesWithState.includes(page)) return [socket];
  return [
    [defaultConfigFile, "the configuration"],
    [settings.stateDirectory.fallback, "the database, images, and what nodes netboot into"],
    socket,
  ];
}

function documentSetting(setting: Setting<unknown>): DocumentedSetting {
  const { key, about, wants } = setting;
  const [flag, variable] = [flagOf(setting), variableOf(setting)];
  return {
    key,
    about,
    wants,
    fallback: describeFallback(setting),
    ...(flag !== undefined && { flag }),
    ...(variable !== undefined && { variable }),
  };
}
