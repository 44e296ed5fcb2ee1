import { once } from "node:events";
import { mkdir, rmdir, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../../proto/failure.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { systemPath } from "../../../proto/linux/system-path.ts";

/**
 * A place for what came from outside: filesystems and archives that anyone may have made. No kernel driver of ours reads
 * them. Programs do, fuse2fs(1) and e2fsprogs, which have nothing to lose: they see the programs of this machine, the files
 * that are named, and nothing else; no network, no process of anyone's, no device but /dev/fuse. They are root in a user
 * namespace (user_namespaces(7)), so of their own namespaces and of nothing outside.
 *
 * The programs that copy files (rsync, find, tar) see the same and have no capability but those over files: so they
 * can make a device file, which leads nowhere there.
 *
 * For a process that is not root, root in the space is its own user, and nobody else is there: enough for what changes bytes of
 * an image, and too little for `runOnFiles` and `mount`, which make files of other owners.
 */
export interface ForeignSpace {
  /**
   * Runs a program on foreign bytes. Throws Failure `tool-failed` for an exit code that is not in `expected` (default: 0),
   * and `cancelled` by the signal.
   *
   * @returns standard output, as Latin-1
   */
  run(command: string, args: readonly string[], options: SpaceRun): Promise<string>;
  /** Runs a program on foreign files. Throws as `run` does. */
  runOnFiles(command: string, args: readonly string[], options: SpaceRun): Promise<string>;
  /** Mounts an ext filesystem. Throws Failure `tool-failed`, or `cancelled`. */
  mount(mount: ForeignMount): Promise<MountedForeign>;
  /** A path in it as seen from outside. */
  pathOf(path: string): string;
  /** Ends it, every program and every mount in it. */
  close(): Promise<void>;
}

/** What is mounted, and where. */
export interface ForeignMount {
  /** Of the image, in the space. */
  readonly file: string;
  readonly offsetBytes: number;
  readonly access: "read" | "write";
  /** A name: its folder is made in the top of the space. */
  readonly at: string;
  readonly signal?: AbortSignal | undefined;
}

export interface MountedForeign {
  /** In the space. */
  readonly path: string;
  /** Unmounts it, and resolves when all is written. Throws Failure `tool-failed`. */
  close(): Promise<void>;
}

/** How to run a program in the space. */
export interface SpaceRun {
  readonly signal?: AbortSignal | undefined;
  readonly expected?: readonly number[];
  /** Called with the program's output as it arrives. */
  readonly onOutput?: (text: string) => void;
  /** Its standard input; default: none. */
  readonly input?: AsyncIterable<Uint8Array>;
}

/** A file or folder of this machine that the space sees. */
export interface Admitted {
  readonly path: string;
  /** Its name in the top of the space. */
  readonly as: string;
}

/** What root in the space keeps of its power: to make files of any owner, mode and kind. */
const fileCapabilities = ["chown", "dac_override", "fowner", "fsetid", "mknod", "setfcap"];

/** Where programs are in the space, wherever this machine has put some of its own. */
const insidePath = "/usr/sbin:/usr/bin:/sbin:/bin";

/** The number of umount2(2), which umount(8) does not call without /proc. */
const umountNumber: Readonly<Record<string, number>> = { x64: 166, arm64: 39 };
const umountFlags = { all: 0, detach: 2 } as const;

/** A command in words of the shell; what is to be unmounted follows. */
function renderUmount(how: keyof typeof umountFlags): string {
  return `perl -e 'exit(syscall(${umountNumber[process.arch] ?? 0}, $ARGV[0], ${umountFlags[how]}) == 0 ? 0 : 1)'`;
}

/**
 * "$@": a namespace that is still to be left, how a folder of programs is bound, the folder that becomes the top, then pairs of a path
 * and its name there.
 */
const enter = `set -eu
leave=$1 bind=$2 top=$3; shift 3
mount -t tmpfs -o mode=0755,nosuid,nodev,noexec,size=16m pallet "$top"
cd "$top"
mkdir usr etc dev tmp outside
mount $bind /usr usr
mount -o remount,bind,ro,nosuid,nodev usr
for name in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then ln -s "$(readlink "/$name")" "$name"
  elif [ -d "/$name" ]; then mkdir "$name"; mount $bind "/$name" "$name"; mount -o remount,bind,ro,nosuid,nodev "$name"
  fi
done
if [ -e /etc/ld.so.cache ]; then cp /etc/ld.so.cache etc/; fi
: > etc/mtab
for name in fuse null; do [ -e "/dev/$name" ] || continue; : > "dev/$name"; mount --bind "/dev/$name" "dev/$name"; done
while [ $# -gt 0 ]; do
  if [ -d "$1" ]; then mkdir "$2"; else : > "$2"; fi
  mount --bind "$1" "$2"
  mount -o remount,bind,nosuid,nodev,noexec "$2"
  shift 2
done
pivot_root . outside
cd /
export PATH=${insidePath}
${renderUmount("detach")} /outside
rmdir /outside
exec unshare $leave --mount --net --ipc --pid --fork --kill-child -- cat`;

const env = { LC_ALL: "C.UTF-8", HOME: "/tmp" };
const mountPollMs = 20;

/**
 * Opens a space; for files of any owner that needs root, and for mounts /dev/fuse. It is held by a process that ends when
 * this one does, even if this one is killed, so that nothing of it outlives this one.
 *
 * @param folder an empty folder, which others see empty
 */
export async function openForeignSpace(folder: string, admitted: readonly Admitted[]): Promise<ForeignSpace> {
  const places = admitted.flatMap(({ path, as }) => [path, as]);
  const isRoot = process.geteuid?.() === 0;
  // Root leaves the user namespace when its mounts are made; who is not root can only mount once he has left it.
  // And what is mounted below these folders, as a systemd unit hides kernel modules, only root may leave behind.
  const [first, last, bind] = isRoot ? [[], "--user", "--bind"] : [["--user", "--map-root-user"], "--ipc", "--rbind"];
  const holder = execa(
    "unshare",
    [...first, "--mount", "--propagation", "private", "--", "sh", "-c", enter, "sh", last, bind, folder, ...places],
    {
      env: { ...env, PATH: systemPath(process.env["PATH"]) },
      buffer: { stdout: false, stderr: true },
      stdin: "pipe",
      reject: false,
    },
  );
  holder.stdin.on("error", () => undefined);
  holder.stdin.write("ready\n");
  // cat answers once the namespaces exist.
  await Promise.race([once(holder.stdout, "data"), holder]);
  const { pid } = holder;
  try {
    if (holder.exitCode !== null || pid === undefined) throw new Error("it ended");
    // Everybody there is who he is outside: the files keep their owners.
    if (isRoot) for (const map of ["uid_map", "gid_map"]) await writeFile(`/proc/${pid}/${map}`, "0 0 4294967295\n");
  } catch (error) {
    holder.stdin.end();
    const result = await holder;
    const said = firstWords(result.stderr) || (error as Error).message;
    throw new Failure("tool-failed", `cannot make a place for foreign files: ${said}`, { cause: error });
  }
  holder.stdout.resume();

  const spaces = (names: readonly string[]) => names.map((name) => `--${name}=/proc/${pid}/ns/${nsOf[name] ?? name}`);
  const withPath = ["/usr/bin/env", `PATH=${insidePath}`];
  // Nobody but root may leave his groups, and of those none counts there.
  const keep = isRoot ? [] : ["--preserve-credentials"];
  const inside = [...keep, ...spaces(["user", "mount", "net", "ipc", "pid"]), "--", ...withPath];
  const onFiles = [
    ...spaces(["mount", "net", "ipc", "pid"]),
    "--",
    ...withPath,
    ...["setpriv", "--no-new-privs", "--inh-caps=-all"],
    `--bounding-set=-all,${fileCapabilities.map((name) => `+${name}`).join(",")}`,
    "--",
  ];

  function start(way: readonly string[], command: string, args: readonly string[], options: SpaceRun) {
    const { signal, onOutput, input } = options;
    const child = execa("nsenter", [...way, command, ...args], {
      env: { ...env, PATH: systemPath(process.env["PATH"]) },
      encoding: "latin1",
      maxBuffer: 1 << 30,
      stdin: input === undefined ? "ignore" : "pipe",
      stripFinalNewline: false,
      reject: false,
      ...(signal && { cancelSignal: signal }),
    });
    if (onOutput !== undefined) child.stdout.on("data", (data) => onOutput(String(data)));
    return child;
  }

  async function run(way: readonly string[], command: string, args: readonly string[], options: SpaceRun) {
    const { signal, expected = [0], input } = options;
    const child = start(way, command, args, options);
    try {
      if (input !== undefined && child.stdin !== null) await feed(input, child.stdin);
    } catch (error) {
      child.kill();
      await child;
      throw error;
    }
    const result = await child;
    if (result.isCanceled || signal?.aborted)
      throw new Failure("cancelled", `${command} was cancelled`, { cause: result });
    if (result.exitCode === undefined || !expected.includes(result.exitCode)) throw toolFailed(command, result);
    return result.stdout;
  }

  return {
    run: (command, args, options) => run(inside, command, args, options),
    runOnFiles: (command, args, options) => run(onFiles, command, args, options),
    async mount({ file, offsetBytes, access, at, signal }) {
      const path = `/${at}`;
      const outside = `/proc/${pid}/root${path}`;
      await mkdir(outside);
      const { dev } = await stat(outside);
      // In the foreground, so that its end says whether everything was written.
      const how = `offset=${offsetBytes},${access === "read" ? "ro,norecovery" : "rw"}`;
      const server = start(inside, "fuse2fs", ["-f", "-o", how, file, path], { signal });
      let ended = false;
      const end = server.then((result) => {
        ended = true;
        return result;
      });
      while (!ended && (await stat(outside)).dev === dev) await Promise.race([sleep(mountPollMs), end]);
      if (ended) {
        const result = await end;
        if (result.isCanceled || signal?.aborted) throw new Failure("cancelled", "fuse2fs was cancelled");
        throw toolFailed("fuse2fs", result);
      }
      return {
        path,
        async close() {
          await run(inside, "sh", ["-c", `${renderUmount("all")} "$0"`, path], { signal });
          const result = await end;
          if (result.exitCode !== 0) throw toolFailed("fuse2fs", result);
        },
      };
    },
    pathOf: (path) => `/proc/${pid}/root${path}`,
    async close() {
      holder.stdin.end();
      await holder;
      await rmdir(folder).catch(() => undefined);
    },
  };
}

/** How nsenter(1) and /proc/[pid]/ns name a namespace, where they differ. */
const nsOf: Readonly<Record<string, string>> = { mount: "mnt", pid: "pid_for_children" };

/** A program that ends before it has read everything has said what it wanted; the rest is taken in all the same. */
async function feed(input: AsyncIterable<Uint8Array>, to: NodeJS.WritableStream): Promise<void> {
  let isOpen = true;
  to.on("error", () => {
    isOpen = false;
  });
  for await (const chunk of input) if (isOpen && !to.write(chunk)) await drained(to);
  to.end();
}

/** Resolves when more can be written, or when nothing can be written any more. */
function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "error"]) stream.removeListener(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) stream.once(event, done);
  });
}

function toolFailed(
  command: string,
  result: { readonly stderr?: unknown; readonly stdout?: unknown; readonly shortMessage?: string | undefined },
): Failure {
  // fuse2fs says on standard output what is wrong.
  const said = firstWords(String(result.stderr ?? "")) || (command === "fuse2fs" && firstWords(String(result.stdout)));
  return new Failure("tool-failed", `${command} failed: ${said || result.shortMessage}`, { cause: result });
}

/** The start of a program's error output, as one line. */
function firstWords(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^\w+ 1\.\d+\.\d+ \(/.test(line));
  return lines.slice(0, 3).join("; ").replaceAll(/\p{C}/gu, "?").slice(0, 500);
}
