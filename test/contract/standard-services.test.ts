// The services that every gRPC server should have: reflection (with the contracts as Buf sees them) and health.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type ChannelCredentials,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { protoPath } from "grpc-health-check";
import { standardServices } from "../../proto/package-definition.ts";
import { answer, endsWith, firstOf } from "./calls.ts";
import { type Program, startAgent, startController } from "./processes.ts";
import { createReflectionClient, reflectionVersions } from "./reflection-client.ts";
import { compileByBuf, loaderService, loadStandardServices, registryOf, wireShape } from "./views.ts";

const reference = await compileByBuf();

interface DoorOf {
  readonly name: string;
  /** Starts the program; `target` is this door of it. */
  start(): Promise<Program & { readonly target: string }>;
  readonly services: readonly string[];
  /** Services that it must not describe; where there are none, it describes the whole of the contracts. */
  readonly unserved?: readonly string[];
}

const doors: readonly DoorOf[] = [
  {
    name: "a running agent",
    start: () => startAgent().then((program) => ({ ...program, target: `unix:${program.socket}` })),
    services: ["pallet.v1.AgentService"],
  },
  {
    name: "the unix socket of a running controller",
    start: () => startController().then((program) => ({ ...program, target: `unix:${program.socket}` })),
    services: ["pallet.v1.ControllerService", "pallet.v1.EnrollmentService"],
  },
  {
    name: "the TCP port of a running controller that goes without certificates",
    start: () =>
      startController({ settings: { insecure: true } }).then((program) => ({ ...program, target: program.address })),
    services: ["pallet.v1.ControllerService", "pallet.v1.EnrollmentService"],
  },
];

interface Health {
  readonly status: "UNKNOWN" | "SERVING" | "NOT_SERVING";
}

interface HealthClient {
  check: Parameters<typeof answer<{ service: string }, Health>>[1];
  watch(request: { service: string }): ClientReadableStream<Health>;
  close(): void;
}

function createHealthClient(address: string) {
  const loaded = loadPackageDefinition(loadSync(protoPath, { enums: String, defaults: true })) as unknown as {
    grpc: { health: { v1: { Health: new (address: string, credentials: ChannelCredentials) => HealthClient } } };
  };
  return new loaded.grpc.health.v1.Health(address, credentials.createInsecure());
}

for (const { name, start, services, unserved = [] } of doors) {
  describe(name, () => {
    let program: Awaited<ReturnType<DoorOf["start"]>>;
    before(async () => {
      program = await start();
    });
    after(() => program.kill());

    for (const version of reflectionVersions) {
      describe(`reflection ${version}`, () => {
        it("lists the services", async (test) => {
          const client = createReflectionClient(program.target, version);
          test.after(client.close);
          assert.deepEqual((await client.services()).sort(), [...services, ...standardServices].sort());
        });

        for (const service of standardServices) {
          it(`describes ${service} as the package that serves it`, async (test) => {
            const client = createReflectionClient(program.target, version);
            test.after(client.close);
            const described = registryOf(await client.filesContaining(service)).getService(service);
            const served = loaderService(loadStandardServices(), service);
            assert.deepEqual(
              described?.methods.map(({ name }) => `/${service}/${name}`),
              Object.values(served).map(({ path }) => path),
            );
          });
        }

        for (const service of services) {
          it(`describes ${service} and all that it uses as Buf does`, async (test) => {
            const client = createReflectionClient(program.target, version);
            test.after(client.close);
            const found = registryOf(await client.filesContaining(service));
            const used = registryOf(await dependenciesOf(client, service));
            assert.deepEqual(wireShape(found), wireShape(used), "file_containing_symbol brings every import");
            const expected = wireShape(reference);
            const shape = wireShape(found);
            assert.ok(`service ${service}` in shape);
            for (const [type, fields] of Object.entries(shape)) assert.deepEqual(fields, expected[type], type);
          });
        }

        for (const service of unserved) {
          it(`does not describe ${service}, which it does not have`, async (test) => {
            const client = createReflectionClient(program.target, version);
            test.after(client.close);
            await assert.rejects(client.filesContaining(service), new RegExp(`^Error: ${status.NOT_FOUND} `));
          });
        }

        if (unserved.length === 0) {
          it("describes every message, enum and service of the contracts as Buf does", async (test) => {
            const client = createReflectionClient(program.target, version);
            test.after(client.close);
            const files = [...new Set([...reference].map((type) => type.file.name))].map((file) => `${file}.proto`);
            const ours = files.filter((file) => file.startsWith("pallet/"));
            assert.ok(ours.length >= 10);
            const served = (await Promise.all(ours.map((file) => client.fileNamed(file)))).flat();
            assert.deepEqual(wireShape(registryOf(served)), wireShape(reference));
          });
        }

        it("says that it does not know a symbol that there is not", async (test) => {
          const client = createReflectionClient(program.target, version);
          test.after(client.close);
          await assert.rejects(
            client.filesContaining("pallet.v1.NoService"),
            new RegExp(`^Error: ${status.NOT_FOUND} `),
          );
        });
      });
    }

    describe("health", () => {
      for (const service of ["", ...services]) {
        it(`of ${service === "" ? "the whole server" : service} is SERVING, asked once and watched`, async (test) => {
          const client = createHealthClient(program.target);
          test.after(() => client.close());
          assert.deepEqual(await answer(client as never, client.check, { service }), { status: "SERVING" });
          const watch = client.watch({ service });
          assert.deepEqual(await firstOf(watch), { status: "SERVING" });
          watch.cancel();
        });
      }

      it("of a service that it does not have is NOT_FOUND, and SERVICE_UNKNOWN to a watcher", async (test) => {
        const client = createHealthClient(program.target);
        test.after(() => client.close());
        const request = { service: "pallet.v1.NoService" };
        await endsWith(answer(client as never, client.check, request), status.NOT_FOUND);
        const watch = client.watch(request);
        assert.deepEqual(await firstOf(watch), { status: "SERVICE_UNKNOWN" });
        watch.cancel();
      });

      it("turns NOT_SERVING for its watchers on SIGTERM, and the program ends with exit code 0", async (test) => {
        const clients = ["", ...services].map((service) => ({ service, client: createHealthClient(program.target) }));
        test.after(() => {
          for (const { client } of clients) client.close();
        });
        const watched = clients.map(({ service, client }) => ({ service, watch: client.watch({ service }) }));
        await Promise.all(watched.map(({ watch }) => firstOf(watch)));
        const changes = Promise.all(
          watched.map(({ watch }) => firstOf(watch, (health) => health.status === "NOT_SERVING")),
        );
        const end = await program.stop();
        await changes;
        assert.deepEqual(end, { code: 0, signal: null }, program.log.tail(10));
      });
    });
  });
}

/** The file of a symbol and, one by one, everything that it imports. */
async function dependenciesOf(client: ReturnType<typeof createReflectionClient>, symbol: string): Promise<Buffer[]> {
  const file = [...reference].find((type) => type.typeName === symbol)?.file;
  assert.ok(file);
  const names = new Set<string>();
  const visit = (each: typeof file): void => {
    if (names.has(each.name)) return;
    names.add(each.name);
    for (const dependency of each.dependencies) visit(dependency);
  };
  visit(file);
  return (await Promise.all([...names].map((name) => client.fileNamed(`${name}.proto`)))).flat();
}
