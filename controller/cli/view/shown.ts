/** A shape as `--json` shows it: null for empty text and for what is absent, except in the named fields. */
export type Shown<T, Always extends keyof T = never> = {
  readonly [Key in keyof T]-?: Key extends Always
    ? T[Key]
    : string extends T[Key]
      ? T[Key] | null
      : undefined extends T[Key]
        ? Exclude<T[Key], undefined> | null
        : T[Key];
};

/** Empty text stands for "absent" in proto3. The order of fields stays. */
export function show<T extends object, Always extends keyof T = never>(
  shape: T,
  ...always: Always[]
): Shown<T, Always> {
  const entries = Object.entries(shape).map(([key, value]) => [
    key,
    (value === "" || value === undefined) && !always.includes(key as Always) ? null : value,
  ]);
  return Object.fromEntries(entries) as Shown<T, Always>;
}
