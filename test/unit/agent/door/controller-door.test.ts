import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { type ControllerDoor, createControllerDoor, type DoorTrust } from "../../../../agent/door/controller-door.ts";
import { until } from "../../../until.ts";
import { anAuthority, type Leaf, pemOf } from "../identity/an-authority.ts";

const authority = anAuthority();
const controller = authority.issue("pallet://controller");
const own = authority.issue("pallet://node/b8-27-eb-00-00-01/netboot/boot");
const trust: DoorTrust = {
  server: { ...pemOf(own), ca: String(authority.certificate), minVersion: "TLSv1.3" },
  authorities: [authority.certificate],
};

async function aDoor(test: TestContext, shown: DoorTrust | null = trust) {
  const admitted: TLSSocket[] = [];
  const lines: string[] = [];
  const door: ControllerDoor = createControllerDoor({
    admitted: (socket) => void admitted.push(socket),
    now: () => Date.now(),
    log: { warn: (_, message) => void lines.push(message) },
  });
  if (shown !== null) door.show(shown);
  const listener = createServer((socket) => door.knocked(socket)).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const opened: Socket[] = [];
  test.after(() => {
    door.close();
    listener.close();
    for (const socket of [...opened, ...admitted]) socket.destroy();
  });
  const keep = <Kind extends Socket>(socket: Kind): Kind => {
    socket.on("error", () => undefined);
    opened.push(socket);
    return socket;
  };
  return {
    door,
    admitted,
    lines,
    knock: (localAddress = "127.0.0.1") => keep(createConnection({ port, host: "127.0.0.1", localAddress })),
    call: (leaf: Leaf | undefined, options: { maxVersion?: "TLSv1.2" } = {}) =>
      keep(
        connect({
          ...{ port, host: "127.0.0.1", servername: "x.pallet.internal", ALPNProtocols: ["h2"] },
          ...{ ca: String(authority.certificate), checkServerIdentity: () => undefined, ...(leaf && pemOf(leaf)) },
          ...options,
        }),
      ),
  };
}

const closed = (socket: Socket): Promise<unknown> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => void socket.once("close", resolve));

describe("an agent's door", () => {
  it("admits the controller", async (test) => {
    const { admitted, call } = await aDoor(test);
    call(controller);
    await until(() => admitted.length === 1, "the controller is not admitted");
    assert.equal(admitted[0]?.getProtocol(), "TLSv1.3");
  });

  for (const [who, leaf, why] of [
    ["nobody", undefined, /shows no certificate/],
    ["an operator", authority.issue("pallet://operator/eve"), /certificate of operator eve/],
    ["another node", authority.issue("pallet://node/b8-27-eb-00-00-02/resident"), /b8:27:eb:00:00:02/],
    ["itself", own, /b8:27:eb:00:00:01/],
    ["the controller of another authority", anAuthority("X").issue("pallet://controller"), /signed by no authority/],
    ["a controller of yesterday", authority.issue("pallet://controller", { days: -1 }), /expired at/],
  ] as const)
    it(`ends the connection of ${who}, and says why`, async (test) => {
      const { admitted, lines, call } = await aDoor(test);
      await closed(call(leaf));
      await until(() => lines.length === 1, "nothing is logged");
      assert.match(lines[0] ?? "", why);
      assert.equal(admitted.length, 0);
    });

  it("speaks no older TLS", async (test) => {
    const { admitted, call } = await aDoor(test);
    await closed(call(controller, { maxVersion: "TLSv1.2" }));
    assert.equal(admitted.length, 0);
  });

  it("is not kept shut by strangers who knock and say nothing, and forgets the oldest of them", async (test) => {
    const { admitted, knock, call } = await aDoor(test);
    const strangers = Array.from({ length: 50 }, () => knock());
    await Promise.all(strangers.slice(0, 42).map(closed));
    call(controller);
    await until(() => admitted.length === 1, "the controller is not admitted");
  });

  it("lets the controller finish what it began, however fast a stranger knocks", async (test) => {
    const { knock } = await aDoor(test);
    const begun = knock("127.0.0.2");
    await once(begun, "connect");
    const strangers = Array.from({ length: 50 }, () => knock());
    await Promise.all(strangers.slice(0, 43).map(closed));
    assert.equal(begun.closed, false);
  });

  it("resets who comes before it has a certificate to show, and admits with the one that it is given", async (test) => {
    const { door, admitted, knock, call } = await aDoor(test, null);
    await closed(knock());
    door.show(trust);
    call(controller);
    await until(() => admitted.length === 1, "the controller is not admitted");
  });

  it("tells of many refusals in one line", async (test) => {
    const { lines, call } = await aDoor(test);
    for (let count = 0; count < 5; count += 1) await closed(call(undefined));
    await until(() => lines.length > 0, "nothing is logged");
    assert.equal(lines.length, 1);
  });
});
