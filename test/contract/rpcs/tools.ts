import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { until } from "../../until.ts";

/** A system tool that is being kept waiting. */
export interface HeldTool {
  /** Resolves with the process id of the tool once someone has started it. */
  started(): Promise<number>;
  /** Lets it continue. */
  release(): Promise<void>;
}

/** System tools as an agent finds them, which can be made to wait or to fail. */
export interface Tools {
  /** The PATH to give to the agent. */
  readonly path: string;
  /** From now on, until it is released, the tool waits before it does its work. */
  hold(tool: string): Promise<HeldTool>;
  /** From now on the tool fails; the function mends it. */
  breakDown(tool: string): Promise<() => Promise<void>>;
}

/**
 * Puts a script in front of each of the tools, which then does the real one's work. It waits in the shell itself, so
 * that whoever cancels the tool ends it.
 */
export async function createTools(folder: string, names: readonly string[]): Promise<Tools> {
  await mkdir(folder);
  for (const name of names) {
    const switches = path.join(folder, `.${name}`);
    const script = `#!/bin/sh
if [ -e '${switches}.broken' ]; then echo '${name}: broken on purpose' >&2; exit 1; fi
if [ -e '${switches}.held' ]; then
  echo "$$ " > '${switches}.pid'
  while [ -e '${switches}.held' ]; do sleep 0.02; done
fi
PATH="\${PATH#*:}"
exec ${name} "$@"
`;
    await writeFile(path.join(folder, name), script);
    await chmod(path.join(folder, name), 0o755);
  }
  const switchOf = (tool: string, state: "broken" | "held" | "pid") => path.join(folder, `.${tool}.${state}`);
  return {
    path: `${folder}:${process.env["PATH"] ?? "/usr/bin:/bin"}`,
    async hold(tool) {
      await rm(switchOf(tool, "pid"), { force: true });
      await writeFile(switchOf(tool, "held"), "");
      return {
        async started() {
          let text = "";
          await until(async () => {
            text = await readFile(switchOf(tool, "pid"), "utf8").catch(() => "");
            // The shell makes the file first and writes then; the space is the end of what it writes.
            return text.includes(" ");
          }, `${tool} was not started`);
          return Number(text);
        },
        release: () => rm(switchOf(tool, "held"), { force: true }),
      };
    },
    async breakDown(tool) {
      await writeFile(switchOf(tool, "broken"), "");
      return () => rm(switchOf(tool, "broken"), { force: true });
    },
  };
}
