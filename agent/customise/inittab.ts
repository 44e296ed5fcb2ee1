/**
 * The inittab with one line that starts the command and starts it again whenever it ends; every other line stays as it
 * is, and a line for the same program from an earlier time goes. In busybox's inittab the first field is a terminal and
 * stays empty; System V's wants an id of its own there, at most four characters, and the runlevels (inittab(5)).
 */
export function addToInittab(inittab: string, system: "busybox" | "sysvinit", command: string): string {
  const [program = command] = command.split(" ");
  const lines = inittab.split("\n").filter((line) => !startsProgram(line, program));
  while (lines.at(-1) === "") lines.pop();
  return `${[...lines, system === "busybox" ? `::respawn:${command}` : `plt:2345:respawn:${command}`].join("\n")}\n`;
}

function startsProgram(line: string, program: string): boolean {
  const process = /^\s*[^#:]*:[^:]*:[^:]*:\s*(\S+)/.exec(line)?.[1];
  return process === program;
}
