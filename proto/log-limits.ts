import { limits } from "./limits.ts";

/**
 * Most characters (UTF-16 code units) of one record of pallet.v1.LogRecord: the agent cuts to them, the controller
 * holds to them.
 */
export const maxLogMessage = limits.logs.messageCharacters.most;
export const maxLogFields = limits.logs.fieldCharacters.most;
export const maxLogError = limits.logs.errorCharacters.most;

/** Maximum number of records in a pallet.v1.ReportLogsRequest. */
export const maxLogRecords = limits.logs.records.most;
/** Most characters in all texts of a pallet.v1.ReportLogsRequest: at most that many bytes of UTF-8 where it matters. */
export const maxLogText = limits.logs.textCharacters.most;
