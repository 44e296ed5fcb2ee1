import { Failure } from "../../proto/failure.ts";

/** What a kernel's packages are called; a bare linux-base has tools for maintainer scripts. */
const kernelPart = /^linux-(image|binary|modules|base)-[\w.+~-]+$/;

/** More than any kernel was ever split into. */
const maxPackages = 32;

/**
 * The packages that a kernel is made of: the named one, and of what it depends on, directly or not, those that are
 * parts of the kernel. Debian split its kernels into several packages in 2026; before, there was one.
 *
 * @param show gives the paragraph of a package, as apt-cache(8) shows it
 * @throws Failure "tool-failed" when there is no end to them
 */
export async function selectKernelPackages(
  name: string,
  show: (name: string) => Promise<string>,
): Promise<readonly string[]> {
  const found = new Set([name]);
  for (const each of found) {
    if (found.size > maxPackages)
      throw new Failure(
        "tool-failed",
        `${name} depends on more than ${maxPackages} packages that look like a kernel's`,
      );
    const depends = /^Depends: (.*)$/m.exec(await show(each))?.[1] ?? "";
    // Alternatives are for initrd builders, which are not a part.
    for (const wanted of depends.split(",").filter((part) => !part.includes("|"))) {
      const part = wanted.trim().split(/[\s:(]/)[0] ?? "";
      if (kernelPart.test(part)) found.add(part);
    }
  }
  return [...found];
}
