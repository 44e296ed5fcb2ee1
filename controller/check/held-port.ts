/** A port of this machine that a program holds. */
export interface HeldPort {
  readonly protocol: "TCP" | "UDP";
  /** Where it listens; "0.0.0.0" or "::" for everywhere. */
  readonly address: string;
  readonly port: number;
  /** Absent where it is the kernel itself, or could not be found out. */
  readonly process?: {
    readonly pid: number;
    readonly name: string;
    /** The systemd unit that it belongs to, for example "nfs-ganesha.service". */
    readonly unit?: string;
  };
}
