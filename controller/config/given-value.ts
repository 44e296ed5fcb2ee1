/** A value that someone gave to a setting, before it is checked. */
export interface GivenValue {
  readonly value: unknown;
  /** Where it came from, for a person: "/etc/pallet.yaml line 3", "--grpc-port", "PALLET_GRPC_PORT". */
  readonly source: string;
  /** Relative paths are meant relative to this folder. */
  readonly folder: string;
}

/** What one source gives: values by key, and what is wrong with the source itself, a sentence each. */
export interface GivenValues {
  readonly values: ReadonlyMap<string, GivenValue>;
  readonly problems: readonly string[];
}
