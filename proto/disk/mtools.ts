/**
 * For every run of mtools: no user settings, names as they are written, and no refusal of filesystems
 * whose geometry is odd but harmless.
 */
export const mtoolsEnvironment = { MTOOLSRC: "/dev/null", MTOOLS_SKIP_CHECK: "1", MTOOLS_LOWER_CASE: "0" } as const;

/**
 * A FAT filesystem that lies somewhere on a disk or in an image, as mtools(1) takes it after "-i". The path may not
 * hold "@@".
 */
export function renderDrive(path: string, offsetBytes: number): string {
  return `${path}@@${offsetBytes}`;
}

/**
 * Paths from the root folder of what `mdir -b` prints, folders with a "/" at the end; undefined when it failed. That it
 * finds no "::/" is how it calls a filesystem without any file.
 */
export function parseMdir(exitCode: number, stdout: string, stderr: string): readonly string[] | undefined {
  if (exitCode !== 0) return /"::\/?" not found/.test(stderr) ? [] : undefined;
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^::\//, ""));
}
