import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { createTrafficMeter } from "../../../../controller/uplink/traffic-meter.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

class Socket extends EventEmitter {
  bytesWritten = 0;
  readonly remoteAddress: string;
  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
}

/** Has a second's worth go over each of the connections, second by second. */
async function seconds(
  clock: ReturnType<typeof createManualClock>,
  count: number,
  rates: readonly (readonly [Socket, number])[],
) {
  for (let tenth = 0; tenth < count * 10; tenth += 1) {
    for (const [socket, rate] of rates) socket.bytesWritten += rate / 10;
    await clock.advanceSettling(100);
  }
}

describe("traffic meter", () => {
  it("knows how fast bytes go to each address, over all its connections, and to all together", async () => {
    const clock = createManualClock(0);
    const meter = createTrafficMeter({ clock });
    const sockets = ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"].map((address) => new Socket(address));
    for (const socket of sockets) meter.watch(socket);
    const [a, b, c] = sockets as [Socket, Socket, Socket];
    await seconds(clock, 1, [
      [a, 1000],
      [b, 2000],
      [c, 500],
    ]);
    assert.deepEqual([meter.rateOf("10.0.0.1"), meter.rateOf("10.0.0.2"), meter.totalRate()], [3000, 500, 3500]);
    assert.equal(meter.rateOf("10.0.0.3"), 0);
  });

  it("follows a change within some seconds", async () => {
    const clock = createManualClock(0);
    const meter = createTrafficMeter({ clock });
    const socket = new Socket("10.0.0.1");
    meter.watch(socket);
    await seconds(clock, 60, [[socket, 1000]]);
    assert.equal(meter.rateOf("10.0.0.1"), 1000);
    await seconds(clock, 5, [[socket, 100_000]]);
    assert.equal(Math.round(meter.rateOf("10.0.0.1")), 100_000);
    await seconds(clock, 5, [[socket, 0]]);
    assert.equal(meter.totalRate(), 0);
  });

  it("counts what connections wrote that have closed meanwhile, and then forgets them", async () => {
    const clock = createManualClock(0);
    const meter = createTrafficMeter({ clock });
    for (let second = 0; second < 4; second += 1) {
      const socket = new Socket("10.0.0.1");
      meter.watch(socket);
      await seconds(clock, 1, [[socket, 1000]]);
      socket.emit("close");
      socket.bytesWritten = 10 ** 9;
    }
    assert.equal(meter.rateOf("10.0.0.1"), 1000);
    await clock.advanceSettling(10_000);
    assert.equal(meter.totalRate(), 0);
  });

  it("does not average over the time in which nobody was connected", async () => {
    const clock = createManualClock(0);
    const meter = createTrafficMeter({ clock });
    await clock.advanceSettling(3_600_000);
    const socket = new Socket("10.0.0.1");
    meter.watch(socket);
    await seconds(clock, 1, [[socket, 1000]]);
    assert.equal(meter.rateOf("10.0.0.1"), 1000);
  });
});
