/** The cost of a run. Bytes and seconds; a figure that is unavailable is left out. */
export interface Figures {
  readonly wallSeconds: number;
  /** Of the receiving side: every process of the program. */
  readonly cpuSeconds: number;
  /** Of the sending side. */
  readonly serverCpuSeconds: number;
  /** What came in by the receiver's network interface, headers included. */
  readonly wireBytes: number;
  readonly writtenBytes: number;
  readonly readBytes: number;
  readonly peakResidentBytes: number;
}
