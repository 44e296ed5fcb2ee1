import { Failure } from "../../proto/failure.ts";

/**
 * What is unavailable now and may be had later without a change of the configuration: a cable, an address, a folder.
 */
export class NotYet extends Failure {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super("unsupported", message, options);
    this.name = "NotYet";
  }
}
