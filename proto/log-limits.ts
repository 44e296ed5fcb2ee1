/** Most characters (UTF-16 code units) of one record of pallet.v1.LogRecord: the agent cuts to them, the controller holds to them. */
export const MAX_LOG_MESSAGE = 4096;
export const MAX_LOG_FIELDS = 8192;
export const MAX_LOG_ERROR = 16_384;

/** Most records of a pallet.v1.ReportLogsRequest. */
export const MAX_LOG_RECORDS = 1000;
/** Most characters in all texts of a pallet.v1.ReportLogsRequest: at most that many bytes of UTF-8 where it matters. */
export const MAX_LOG_TEXT = 1024 * 1024;
