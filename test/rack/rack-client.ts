import { credentials } from "@grpc/grpc-js";
import { ControllerServiceClient, type Node } from "../../proto/gen/pallet/v1/controller.ts";
import type { Event } from "../../proto/gen/pallet/v1/event.ts";
import type { Rollout } from "../../proto/gen/pallet/v1/rollout.ts";
import { ask } from "../../proto/grpc/call.ts";

/** Of one call that the controller answers at once. */
const patience = { timeoutMs: 150_000 };

/** Patience of one wait. */
export interface Patience {
  /** Default 60 s. */
  readonly timeoutMs?: number;
}

/** The controller of a rack by its own gRPC service, with waits for what it tells. */
export interface RackClient {
  readonly service: ControllerServiceClient;
  /** Resolves when the controller answers. */
  ready(patience?: Patience): Promise<void>;
  nodes(): Promise<readonly Node[]>;
  /** Newest first. */
  rollouts(): Promise<readonly Rollout[]>;
  /** Every event so far, oldest first. */
  events(): Promise<readonly Event[]>;
  /** The first event, past or to come, that is wanted. */
  event(wanted: (event: Event) => boolean, patience?: Patience & { readonly afterId?: bigint }): Promise<Event>;
  /** The first state of the rollout, from now on, that is wanted; a controller that comes back is asked again. */
  rollout(id: string, wanted: (rollout: Rollout) => boolean, patience?: Patience): Promise<Rollout>;
  close(): void;
}

/** Talks to the controller that serves this unix socket, now or later. */
export function createRackClient(socket: string): RackClient {
  const service = new ControllerServiceClient(`unix:${socket}`, credentials.createInsecure(), {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 500,
  });
  const ready = ({ timeoutMs = 150_000 }: Patience = {}): Promise<void> =>
    new Promise((resolve, reject) =>
      service.waitForReady(new Date(Date.now() + timeoutMs), (error) => (error ? reject(error) : resolve())),
    );

  /** Follows a stream over restarts of the controller until an item is wanted. */
  const follow = async <T>(
    open: () => AsyncIterable<T> & { cancel(): void },
    wanted: (item: T) => boolean,
    describe: () => string,
    timeoutMs: number,
  ): Promise<T> => {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      if (Date.now() >= deadline) throw new Error(`not seen within ${timeoutMs} ms: ${describe()}`);
      await ready({ timeoutMs: deadline - Date.now() });
      const stream = open();
      const timer = setTimeout(() => stream.cancel(), deadline - Date.now());
      try {
        for await (const item of stream) if (wanted(item)) return item;
      } catch (error) {
        const { code } = error as { code?: number };
        // CANCELLED is the timer's doing; UNAVAILABLE is a controller that has gone and may come back.
        if (code !== 1 && code !== 14) throw error;
      } finally {
        clearTimeout(timer);
        stream.cancel();
      }
    }
  };

  return {
    service,
    ready,
    nodes: async () => (await ask(service, service.listNodes, {}, patience)).nodes,
    rollouts: async () => (await ask(service, service.listRollouts, {}, patience)).rollouts,
    async events() {
      const request = { afterId: 0n, follow: false, node: "", nodeIds: [], rolloutId: "", by: "", limit: 0 };
      const found: Event[] = [];
      for await (const { event } of service.streamEvents(request)) if (event !== undefined) found.push(event);
      return found;
    },
    async event(wanted, { timeoutMs = 60_000, afterId = 0n } = {}) {
      let last: Event | undefined;
      const request = () => ({
        afterId: last?.id ?? afterId,
        follow: true,
        node: "",
        nodeIds: [],
        rolloutId: "",
        by: "",
        limit: 0,
      });
      const found = await follow(
        () => service.streamEvents(request()),
        ({ event }) => {
          last = event;
          return event !== undefined && wanted(event);
        },
        () => `the event; the last one was "${last?.type} ${last?.message}"`,
        timeoutMs,
      );
      if (found.event === undefined) throw new Error("an event without content");
      return found.event;
    },
    async rollout(rolloutId, wanted, { timeoutMs = 60_000 } = {}) {
      let last: Rollout | undefined;
      const found = await follow(
        () => service.watchRollout({ rolloutId }),
        ({ rollout }) => {
          last = rollout;
          return rollout !== undefined && wanted(rollout);
        },
        () => `the state of rollout ${rolloutId}; the last one was ${JSON.stringify(last, bigintAsText)}`,
        timeoutMs,
      );
      if (found.rollout === undefined) throw new Error("a rollout without content");
      return found.rollout;
    },
    close: () => service.close(),
  };
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
