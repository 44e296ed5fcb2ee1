import type { ChannelOptions } from "@grpc/grpc-js";

/** Channel options for the client that `Effects.connect` makes: a controller that vanished is noticed in 30 s. */
export const controllerChannelOptions: ChannelOptions = {
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
};
