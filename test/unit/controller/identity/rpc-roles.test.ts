import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Asker, mayCall, rpcRoles } from "../../../../controller/identity/rpc-roles.ts";
import { ControllerServiceService } from "../../../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceService } from "../../../../proto/gen/pallet/v1/enrollment.ts";

const paths = [ControllerServiceService, EnrollmentServiceService].flatMap((service) =>
  Object.values(service).map(({ path }) => path),
);
const askers: readonly Asker[] = [
  ...(["socket", "admin", "operator", "viewer", "netboot", "resident", "expired-agent", "nobody"] as const),
];
const readsOnly = /^(Get|List|Select|Plan|Check|Render|Watch|Stream)/;

describe("who may call what", () => {
  it("is said of every RPC that there is, and of no other of ours", () => {
    const said = [...rpcRoles.keys()].filter((path) => path.startsWith("/pallet."));
    assert.deepEqual(said.toSorted(), paths.toSorted());
  });

  it("is nobody, for an RPC that the table does not have", () => {
    for (const asker of askers) assert.equal(mayCall("/pallet.v1.ControllerService/EraseAll", asker), false);
  });

  for (const path of paths) {
    const [, service, name = ""] = (path as string).split("/");
    it(`follows from what ${name} does`, () => {
      const may = askers.filter((asker) => mayCall(path, asker));
      if (service === "pallet.v1.EnrollmentService") {
        const others: Readonly<Record<string, readonly Asker[]>> = { Enroll: askers, EnrollResident: ["netboot"] };
        assert.deepEqual(may, others[name ?? ""] ?? ["socket", "netboot", "resident"]);
        return;
      }
      // Who has a backup can be the controller, and no revocation takes that back.
      if (/Backup$/.test(name)) return assert.deepEqual(may, ["socket"]);
      const decidesWhoIsLetIn = /Operator|Authorit/.test(name);
      const wanted = readsOnly.test(name)
        ? ["socket", "admin", "operator", "viewer"]
        : ["socket", "admin", ...(decidesWhoIsLetIn ? [] : ["operator"])];
      assert.deepEqual(may, wanted);
    });
  }
});
