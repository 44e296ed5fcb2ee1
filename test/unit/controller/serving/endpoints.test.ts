import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEndpoints, type ServerName } from "../../../../controller/serving/endpoints.ts";

const config = {
  listen: "0.0.0.0",
  advertise: "10.0.0.1",
  ...{ grpcPort: 0, httpPort: 7701, httpsPort: 7702, tftpPort: 69, insecure: false },
  nfs: { mode: "ganesha", rootfs: "/srv/root" },
} as const;

describe("the endpoints of a controller that starts", () => {
  it("are known by the configured ports before anything listens", () => {
    const endpoints = createEndpoints(config);
    const reached = (["grpc", "http", "tftp"] as const).map(endpoints.reached);
    assert.deepEqual(reached, ["10.0.0.1:0", "10.0.0.1:7701", "10.0.0.1:69"]);
    assert.equal(endpoints.listening("tftp"), "0.0.0.0:69");
    assert.equal(endpoints.planned().controller, "10.0.0.1:0");
  });

  for (const order of [
    ["grpc", "http", "https"],
    ["https", "http", "grpc"],
    ["tftp", "http", "https", "grpc"],
  ] as const satisfies readonly (readonly ServerName[])[])
    it(`are told to boot configs when gRPC, HTTP and HTTPS listen: ${order.join(", ")}`, async () => {
      const endpoints = createEndpoints(config);
      const told = { already: false };
      endpoints.boot.then(() => {
        told.already = true;
      });
      for (const server of order) {
        await new Promise(setImmediate);
        assert.equal(told.already, false, `before ${server}`);
        endpoints.bound(server, 4000);
      }
      assert.deepEqual(await endpoints.boot, {
        controller: "10.0.0.1:4000",
        nfsRoot: { server: "10.0.0.1", path: "/srv/root" },
      });
      assert.equal(endpoints.reached("http"), "10.0.0.1:4000");
    });

  it("are not waited for where there is no TLS and so no HTTPS", async () => {
    const endpoints = createEndpoints({ ...config, insecure: true });
    for (const server of ["grpc", "http"] as const) endpoints.bound(server, 4000);
    assert.equal((await endpoints.boot).controller, "10.0.0.1:4000");
  });

  it("name no NFS root where this machine exports none", () => {
    assert.equal(createEndpoints({ ...config, nfs: { mode: "none" } }).planned().nfsRoot, undefined);
  });

  it("are told to agents, several of them in their order, once the port of gRPC is known", () => {
    const endpoints = createEndpoints({ ...config, advertiseAlso: ["pallet.example", "[fd00::1]:7702"] });
    assert.deepEqual(endpoints.controllers(), []);
    endpoints.bound("grpc", 4000);
    assert.deepEqual(endpoints.controllers(), [
      { host: "10.0.0.1", port: 4000 },
      { host: "pallet.example", port: 4000 },
      { host: "fd00::1", port: 7702 },
    ]);
  });

  it("have brackets around an IPv6 address", () => {
    assert.equal(createEndpoints({ ...config, advertise: "fd00::1" }).reached("http"), "[fd00::1]:7701");
  });
});
