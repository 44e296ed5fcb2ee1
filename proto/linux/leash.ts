import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";

/**
 * The guardian's program. It reads lines "+ TARGET" and "- TARGET" until its input ends, which it does when this
 * process ends, however it ends. What is on the list then is asked to end, and killed where that has no effect for two
 * seconds. It hears no signal itself: a service manager that asks every process of a service to end still needs it
 * afterwards.
 */
const guardianProgram = `
trap '' HUP INT TERM
targets=' '
while read -r sign target; do
  case $sign in
    +) targets="$targets$target " ;;
    -) targets="\${targets%% $target *} \${targets#* $target }" ;;
  esac
done
[ "$targets" = ' ' ] && exit
for target in $targets; do kill -s TERM -- "$target"; done
for tenth in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  left=
  for target in $targets; do kill -s 0 -- "$target" && left=yes; done
  [ -z "$left" ] && exit
  sleep 0.1
done
for target in $targets; do kill -s KILL -- "$target"; done
`;

let guardian: ChildProcess | undefined;
const leashed = new Set<number>();

/**
 * Has a process end with this one, however this one ends: by itself, by a signal, by SIGKILL.
 *
 * @param target a process id; negative for every process of that process group (kill(2))
 * @returns takes it off the leash; to be called as soon as it has ended, because the kernel gives ids away again
 */
export function leash(target: number): () => void {
  leashed.add(target);
  if (guardian === undefined) startGuardian();
  else tell(`+ ${target}`);
  return () => {
    if (leashed.delete(target)) tell(`- ${target}`);
  };
}

function startGuardian(): void {
  // A session of its own: the terminal's Ctrl-C must not end it.
  const started = spawn("/bin/sh", ["-c", guardianProgram], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  guardian = started;
  const gone = (why: string): void => {
    if (guardian !== started) return;
    guardian = undefined;
    process.emitWarning(`child processes would outlive this process: the shell that watches over them ${why}`);
  };
  started.once("error", ({ message }) => gone(`cannot be started (${message})`));
  started.once("exit", (code, signal) => gone(`has ended (${signal ?? `exit code ${code}`})`));
  // Reported when it ends.
  started.stdin?.on("error", () => undefined);
  started.unref();
  (started.stdin as { unref?(): void } | null)?.unref?.();
  for (const target of leashed) tell(`+ ${target}`);
}

function tell(line: string): void {
  guardian?.stdin?.write(`${line}\n`);
}
