/**
 * The kernel command lines that a boot loader's configuration holds, where no cmdline.txt of a Pi's firmware does. Words
 * that are variables of GRUB are left out: what is in them, GRUB's environment says.
 */

/** Of a Boot Loader Specification entry (loader/entries/*.conf): its `options` lines joined. */
export function parseLoaderEntry(text: string): string | undefined {
  const options = [...text.matchAll(/^options[ \t]+(.*)$/gm)].map((match) => match[1] ?? "");
  return options.length === 0 ? undefined : withoutVariables(options.join(" "));
}

/** Of extlinux.conf: the `append` line of the default label, else of the first. */
export function parseExtlinux(text: string): string | undefined {
  const wanted = /^[ \t]*default[ \t]+(\S+)/im.exec(text)?.[1];
  const labels = text.split(/^[ \t]*label[ \t]+/im).slice(1);
  const label = labels.find((part) => part.split(/\s/)[0] === wanted) ?? labels[0];
  const append = /^[ \t]*append[ \t]+(.*)$/im.exec(label ?? "")?.[1];
  return append === undefined ? undefined : withoutVariables(append);
}

/** Of grub.cfg: what stands behind the kernel in its first `linux` line. */
export function parseGrubConfig(text: string): string | undefined {
  const line = /^[ \t]*linux(?:16|efi)?[ \t]+\S+[ \t]*(.*)$/m.exec(text)?.[1];
  return line === undefined ? undefined : withoutVariables(line);
}

/** Names of loader entries, the newest first; those of rescue systems are left out. */
export function chooseLoaderEntries(names: readonly string[]): readonly string[] {
  return names
    .filter((name) => name.endsWith(".conf") && !/rescue/.test(name))
    .toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }));
}

function withoutVariables(words: string): string {
  return words
    .split(/\s+/)
    .filter((word) => word !== "" && !word.startsWith("$"))
    .join(" ");
}
