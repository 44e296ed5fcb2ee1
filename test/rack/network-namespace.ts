/** A network namespace without a name: it lives as long as the process that holds it. */
export interface NetworkNamespace {
  /** Path for nsenter(1). */
  readonly path: string;
  /** Process id of the holder, for `ip link … netns PID`. */
  readonly pid: number;
  /** Runs a program in it. */
  run(program: string, args: readonly string[], input?: string): Promise<string>;
  close(): Promise<void>;
}
