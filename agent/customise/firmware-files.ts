/** A renamed file. */
export interface Renaming {
  readonly from: string;
  readonly to: string;
}

/**
 * Which of the names in a folder have to change so that none of `files` is left; letter case does not count on FAT. The
 * last extension becomes "off" ("bootcode.bin" → "bootcode.off"): a name of eight and three characters stays one, and a
 * person can still recognise it. Repeating it after an upgrade has put the file back replaces the older one.
 */
export function planRenamings(names: readonly string[], files: readonly string[]): readonly Renaming[] {
  const wanted = new Set(files.map((file) => file.toLowerCase()));
  return names
    .filter((name) => wanted.has(name.toLowerCase()))
    .map((from) => ({ from, to: `${from.replace(/(?<=.)\.[^.]*$/, "").toLowerCase()}.off` }));
}

/**
 * Which files have come back beside their renamed selves: an upgrade of the system has installed the firmware again.
 */
export function findReturned(names: readonly string[]): readonly string[] {
  const renamed = new Set(names.map((name) => name.toLowerCase()).filter((name) => name.endsWith(".off")));
  return names.filter((name) => {
    const [, stem] = /^(.+)\.(bin|elf|txt)$/.exec(name.toLowerCase()) ?? [];
    return stem !== undefined && renamed.has(`${stem}.off`);
  });
}
