/**
 * Which test files a person means by the path of a test, by a part of it, or by the path of the file that is tested. A
 * test whose own name is exactly that goes before those that only have it in their paths.
 *
 * @param files paths from the top of the checkout
 * @param wanted as it was typed, from the same folder
 */
export function selectTestFiles(files: readonly string[], wanted: string): readonly string[] {
  const part = wanted.replace(/^\.\//, "").replace(/(\.test)?\.ts$/, "");
  if (part === "") return [];
  const named = files.filter((file) => {
    const stem = file.replace(/\.test\.ts$/, "");
    return stem === part || stem === `test/unit/${part}`;
  });
  if (named.length > 0) return named;
  const ending = files.filter((file) => file.endsWith(`/${part}.test.ts`));
  return ending.length > 0 ? ending : files.filter((file) => file.includes(part));
}
