import { type handleUnaryCall, type ServiceError, status } from "@grpc/grpc-js";

/** Calls a door of the controller as gRPC would, without a socket. Rejects with the ServiceError. */
export function callDoor<Request, Response>(
  door: handleUnaryCall<Request, Response>,
  request: Request,
  address?: string,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const call = {
      request,
      cancelled: false,
      getPeer: () => (address === undefined ? "unix:" : `${address}:40000`),
      getPath: () => "/world",
      on: () => undefined,
    };
    door(call as unknown as Parameters<typeof door>[0], (error, response) => {
      if (error !== null) reject(error);
      else resolve(response as Response);
    });
  });
}

export function isNotFound(error: unknown): boolean {
  return (error as Partial<ServiceError>).code === status.NOT_FOUND;
}
