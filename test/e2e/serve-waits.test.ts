// A controller that is started before its network, its root filesystem and its boot tree are there: a real one, on a
// network of its own.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { execa } from "execa";
import { stringify } from "yaml";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { firstLine, spawnLeashed } from "../programs/leashed-process.ts";
import { createControllerProcess } from "../rack/controller-process.ts";
import { createNetwork } from "../rack/network.ts";
import { serveInNetwork } from "../rack/rack.ts";
import { createScratchFolder } from "../rack/scratch-folder.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";

const patience = { withinMs: 60_000, everyMs: 500 };

describe("a controller that is started too early", { ...requires("root"), timeout: 180_000 }, () => {
  it("waits, says for what, and serves each part as soon as it can", async () => {
    const scratch = await createScratchFolder("pallet-early-");
    const network = await createNetwork({ interface: "eth1", address: "10.0.0.1", isConfigured: false });
    const file = path.join(scratch.path, "pallet.yaml");
    const socket = path.join(scratch.path, "c.sock");
    const stateDirectory = path.join(scratch.path, "state");
    // The documented configuration, in a folder of the test's.
    const settings = {
      listen: network.address,
      dhcp: { mode: "server", interface: "eth1" },
      nfs: { mode: "ganesha" },
    };
    await writeFile(file, stringify({ ...settings, stateDirectory, socket }));
    const [inside, ...rest] = ["nsenter", `--net=${network.namespace.path}`, "--", process.execPath] as const;
    const { controller: main } = await bundledPrograms();
    const pallet = (...args: readonly string[]) =>
      execa(inside, [...rest, main, ...args], {
        reject: false,
        env: { NO_COLOR: "1" },
      });
    const waitingFor = async (): Promise<readonly string[]> => {
      const { stdout } = await pallet("status", "--json", "--socket", socket);
      return (JSON.parse(stdout || '{"waitingFor":["no controller"]}') as { waitingFor: string[] }).waitingFor;
    };
    const listens = async (kind: "tcp" | "udp", port: number): Promise<boolean> =>
      (await network.namespace.run("ss", [`-Hln${kind === "tcp" ? "t" : "u"}`, `sport = :${port}`])) !== "";
    const controller = createControllerProcess(serveInNetwork(network, file, (await bundledPrograms()).controller));
    try {
      const check = await pallet("serve", "--check", "--config", file);
      assert.equal(check.exitCode, 1);
      for (const said of [
        /no interface of this machine has the address 10\.0\.0\.1/,
        /ip addr add 10\.0\.0\.1\/24 dev eth1/,
        /nothing has been built in \S+boot yet\n {2}remedy: controller boot-tree build/,
        /there is no root filesystem at \S+rootfs /,
      ])
        assert.match(check.stdout, said);

      controller.start();
      await until(
        async () => (await waitingFor()).some((each) => each.startsWith("HTTP: ")),
        "it does not answer",
        patience,
      );
      assert.match(
        (await waitingFor()).join("\n"),
        /^network: no interface of this machine has the address 10\.0\.0\.1/m,
      );

      const { interface: name, address } = network;
      await network.namespace.run("ip", ["-batch", "-"], `addr add ${address}/24 dev ${name}\nlink set ${name} up\n`);
      // A node that boots from its card needs DHCP and TFTP, and no root filesystem.
      for (const [kind, port] of [
        ["tcp", 7700],
        ["tcp", 7701],
        ["udp", 69],
        ["udp", 67],
      ] as const)
        await until(() => listens(kind, port), `nothing listens at ${kind} ${port}`, patience);
      assert.equal(await listens("tcp", 2049), false);
      assert.match((await waitingFor()).join("\n"), /^NFS: nfs\.rootfs is \S+, which does not exist/m);

      await mkdir(path.join(stateDirectory, "rootfs/root/sbin"), { recursive: true });
      await controller.log.waitFor(/"msg":"serving"/, { timeoutMs: 60_000 });
      assert.equal(await listens("tcp", 2049), true);
      await until(
        async () => !(await waitingFor()).some((each) => /^(NFS|network|HTTP)/.test(each)),
        "it still waits",
        {
          ...patience,
          withinMs: 90_000,
        },
      );
      // Its own ports are in nobody's way.
      assert.doesNotMatch((await pallet("serve", "--check", "--config", file)).stdout, /^(ports|network)/m);
      assert.equal(await controller.stop(), 0);
    } finally {
      await controller.kill();
      await network.close();
      await scratch.remove();
    }
  });

  it("ends at once where another program holds its port, and names it with the command that frees it", async () => {
    const scratch = await createScratchFolder("pallet-early-");
    const network = await createNetwork();
    const file = path.join(scratch.path, "pallet.yaml");
    const bind = 'const s = require("dgram").createSocket("udp4"); s.bind(69, () => console.log("bound"))';
    const holder = spawnLeashed("nsenter", [`--net=${network.namespace.path}`, "--", process.execPath, "-e", bind]);
    try {
      await firstLine(holder);
      await writeFile(file, stringify({ listen: network.address, stateDirectory: "state", socket: "c.sock" }));
      const controller = createControllerProcess(serveInNetwork(network, file, (await bundledPrograms()).controller));
      controller.start();
      await controller.gone();
      const expected = new RegExp(
        `ports: \\S+ \\(pid ${holder.pid}\\) holds UDP port 69 \\(TFTP\\) at 0.0.0.0. Remedy: kill ${holder.pid}`,
      );
      assert.match(controller.log.text(), expected);
      assert.match(controller.log.text(), /exit code 1/);
    } finally {
      holder.kill("SIGKILL");
      await network.close();
      await scratch.remove();
    }
  });
});
