import type { PackagedFile } from "./debian-package.ts";

/** The files that every package has, by its own name. */
export function planDocuments(
  name: string,
  { changelog, overrides }: { readonly changelog: Uint8Array; readonly overrides: string | undefined },
): readonly PackagedFile[] {
  return [
    { path: `/usr/share/doc/${name}/changelog.gz`, content: { bytes: changelog } },
    ...(overrides === undefined
      ? []
      : [{ path: `/usr/share/lintian/overrides/${name}`, content: { text: overrides } }]),
  ];
}
