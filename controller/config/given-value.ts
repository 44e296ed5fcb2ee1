/** A value given for a setting, before it is checked. */
export interface GivenValue {
  readonly value: unknown;
  /** Where it came from, for a person: "/etc/pallet.yaml line 3", "--grpc-port", "PALLET_GRPC_PORT". */
  readonly source: string;
  /** Relative paths are meant relative to this folder. */
  readonly folder: string;
}

/** What one source provides: values by key, and problems of the source itself, one sentence each. */
export interface GivenValues {
  readonly values: ReadonlyMap<string, GivenValue>;
  readonly problems: readonly string[];
}
