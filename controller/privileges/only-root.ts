import { lstat, readlink, realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";

const othersWrite = 0o022;
const sticky = 0o1000;

/** What lstat(2) says of a step on the way to a path. */
export interface Step {
  readonly path: string;
  readonly uid: number;
  readonly mode: number;
  readonly isLink: boolean;
}

/**
 * Why somebody else than root could say what is at the last of these steps, as a clause; undefined where nobody can. A step that is
 * sticky lets others add names, and not change those of root.
 *
 * @param steps from the top down: each folder on the way, and what it leads to
 */
export function findIntruder(steps: readonly Step[]): string | undefined {
  for (const [index, { path, uid, mode, isLink }] of steps.entries()) {
    if (uid !== 0) return `${path} belongs to user ${uid}: chown root ${path}`;
    const isPassed = index < steps.length - 1 && (mode & sticky) !== 0;
    if (!isLink && !isPassed && (mode & othersWrite) !== 0)
      return `${path} may be written to by others than root: chmod go-w ${path}`;
  }
  return undefined;
}

/** Links that follow each other, of which the kernel passes no more (path_resolution(7)). */
const mostLinks = 40;

/**
 * Asserts that nobody but root decides what is at an absolute path, now and while root acts on it. Throws Failure
 * `not-permitted` that says who could and what to do; the error of lstat(2) where it is not there.
 *
 * @param what for a person: "nfs.rootfs"
 */
export async function assertOnlyRootDecides(path: string, what: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new Failure("not-permitted", `${what} is ${path}, of which not root alone decides what it is: ${why}`);
  };
  // The way to each link, and the ways that they lead.
  const places = [path, await realpath(path)];
  for (const [index, place] of places.entries()) {
    if (index > mostLinks) refuse("too many links lead there");
    const steps = await stepsTo(place);
    const why = findIntruder(steps);
    if (why !== undefined) refuse(why);
    for (const step of steps) if (step.isLink) places.push(resolve(dirname(step.path), await readlink(step.path)));
  }
}

async function stepsTo(path: string): Promise<readonly Step[]> {
  const places: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    places.unshift(at);
    if (at === dirname(at)) break;
  }
  return Promise.all(
    places.map(async (place) => {
      const status = await lstat(place);
      return { path: place, uid: status.uid, mode: status.mode & 0o7777, isLink: status.isSymbolicLink() };
    }),
  );
}
