import type { TlsListenerOptions } from "./tls-listener.ts";

interface ProblemLog {
  debug(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** What strangers do is told to whoever asks for it, and what we do wrong to everybody. */
export function logProblem(log: ProblemLog): NonNullable<TlsListenerOptions["onProblem"]> {
  return (problem, from, error) => {
    if (problem === "unserved") log.error({ err: error, from }, "a connection could not be served, and was closed");
    else log.debug({ err: error, problem, from }, "a connection came to nothing");
  };
}
