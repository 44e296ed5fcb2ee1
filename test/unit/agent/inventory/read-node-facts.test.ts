import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import os from "node:os";
import { describe, it } from "node:test";
import { readNodeFacts } from "../../../../agent/inventory/read-node-facts.ts";

describe("readNodeFacts", () => {
  it("reads what this machine says of itself", async () => {
    const facts = await readNodeFacts();
    assert.equal(facts.bootId, readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    assert.equal(facts.kernel, readFileSync("/proc/sys/kernel/osrelease", "utf8").trim());
    assert.equal(facts.hostname, os.hostname());
    assert.equal(facts.architecture, process.arch);
    assert.equal(
      facts.memoryBytes,
      Number(/MemTotal:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024,
    );
    assert.ok(facts.cpuCount >= 1);
    assert.notEqual(facts.cpuModel, "");
    assert.ok(facts.uptimeSeconds > 0);
    assert.notEqual(facts.root.source, "");
    assert.match(facts.root.disk, /^$|^\/dev\/[^/]+$/);
  });

  it("lists interfaces without loopback, with MACs in lower case", async () => {
    const { interfaces } = await readNodeFacts();
    for (const { name, mac } of interfaces) {
      assert.notEqual(name, "lo");
      assert.match(mac, /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
    }
    for (const [name, addresses = []] of Object.entries(os.networkInterfaces()))
      if (addresses.some(({ internal }) => !internal))
        assert.deepEqual(
          interfaces.find((each) => each.name === name)?.addresses,
          addresses.map(({ address }) => address),
        );
  });
});
