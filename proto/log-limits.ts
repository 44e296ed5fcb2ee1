/**
 * Most characters (UTF-16 code units) of one record of pallet.v1.LogRecord: the agent cuts to them, the controller
 * holds to them.
 */
export const maxLogMessage = 4096;
export const maxLogFields = 8192;
export const maxLogError = 16_384;

/** Maximum number of records in a pallet.v1.ReportLogsRequest. */
export const maxLogRecords = 1000;
/** Most characters in all texts of a pallet.v1.ReportLogsRequest: at most that many bytes of UTF-8 where it matters. */
export const maxLogText = 1024 * 1024;
