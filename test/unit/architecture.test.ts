// The import rules of the architecture page, held against every file of the tree.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { type Import, readSources, repository, type Source, targetOf } from "./read-sources.ts";

const sources = (await Promise.all(["agent", "controller", "proto"].map(readSources))).flat();
const byFile = new Map(sources.map((source) => [source.file, source]));
const everySource = [...sources, ...(await Promise.all(["scripts", "test"].map(readSources))).flat()];

function violations(
  files: readonly Source[],
  isWrong: (source: Source, imported: Import, target: string | undefined) => boolean,
): string[] {
  return files.flatMap((source) =>
    source.imports
      .filter((imported) => isWrong(source, imported, targetOf(source, imported)))
      .map((imported) => `${source.file} imports ${imported.specifier}`),
  );
}

const inFolder = (...folders: string[]) =>
  sources.filter(({ file }) => folders.some((folder) => file.startsWith(`${folder}/`)));

describe("architecture", () => {
  it("was given a tree to look at", () => {
    assert.ok(inFolder("agent").length > 10 && inFolder("controller").length > 10);
    assert.ok(sources.every(({ imports }) => imports.every(({ specifier }) => specifier !== "")));
  });

  it("agent and controller import only themselves and proto/", () => {
    const allowed: Record<string, readonly string[]> = {
      agent: ["agent/", "proto/"],
      controller: ["controller/", "proto/"],
      proto: ["proto/"],
    };
    assert.deepEqual(
      violations(sources, (source, _, target) => {
        const folder = source.file.split("/")[0] ?? "";
        return target !== undefined && !(allowed[folder] ?? []).some((prefix) => target.startsWith(prefix));
      }),
      [],
    );
  });

  it("only doors, clients of doors and main.ts know gRPC and the generated code", () => {
    const doors = /^(agent|controller)\/(rpc\/|main\.ts$)|^controller\/cli\/|^proto\//;
    assert.deepEqual(
      violations(
        sources,
        ({ file }, { specifier }, target) =>
          !doors.test(file) &&
          (specifier.startsWith("@grpc/") ||
            specifier === "grpc-health-check" ||
            (target?.startsWith("proto/gen/") ?? false)),
      ),
      [],
    );
  });

  it("pure modules reach no I/O, themselves or through what they import", () => {
    const effects =
      /^node:(fs|net|dgram|http|https|child_process|sqlite|dns|tls|worker_threads|timers|readline|os|process|stream)(\/|$)|^(execa|send|pino|systeminformation|commander)$|^@grpc\/grpc-js$/;
    const pureName = /(^|\/)(parse|render|plan|select|detect|choose|judge|negotiate|validate)-[^/]*\.ts$/;
    const pureFile =
      /(^|\/)(transition|guard|packet|codec|options-negotiation|boot-paths|boot-spec|kernel-command-line|table|units)\.ts$/;
    const pureRoom = /^proto\/(system|identity)\//;
    const pure = sources.filter(({ file }) => pureName.test(file) || pureFile.test(file) || pureRoom.test(file));
    assert.ok(pure.length >= 12, `only ${pure.length} pure modules were found: the names in this test are stale`);

    const offence = (source: Source, seen: Set<string>): string | undefined => {
      if (seen.has(source.file)) return undefined;
      seen.add(source.file);
      for (const imported of source.imports) {
        if (imported.typeOnly) continue;
        if (effects.test(imported.specifier)) return `${source.file} imports ${imported.specifier}`;
        const target = byFile.get(targetOf(source, imported) ?? "");
        const found = target === undefined ? undefined : offence(target, seen);
        if (found !== undefined) return `${source.file} > ${found}`;
      }
      return undefined;
    };
    assert.deepEqual(
      pure.map((source) => offence(source, new Set())).filter((found) => found !== undefined),
      [],
    );
  });

  it("one file starts programs: what is started otherwise dies by the terminal's Ctrl-C, or outlives a kill", () => {
    const starters = ["execa", "execaSync", "execaCommand", "execaNode", "$"];
    const allowed =
      /^(proto\/linux\/(leash|leashed-execa)|test\/(programs\/leashed-process|rack\/scratch-folder|rack\/machine\/.*))\.ts$/;
    const ours = everySource.filter(({ file }) => !file.startsWith("test/") || /^test\/(rack|programs)\//.test(file));
    assert.deepEqual(
      violations(
        ours.filter(({ file }) => !allowed.test(file) && !file.endsWith(".test.ts")),
        (_, { names, specifier, typeOnly }) =>
          !typeOnly &&
          ((specifier === "execa" && names.some((name) => starters.includes(name))) ||
            specifier === "node:child_process" ||
            specifier === "child_process"),
      ),
      [],
    );
  });

  it("the validator of the world's histories shares no code with what it judges", () => {
    const judges = everySource.filter(({ file }) => file.startsWith("test/world/validator/"));
    assert.ok(judges.length > 3);
    const allowed = /^test\/world\/(validator\/.*|history\/history)\.ts$/;
    assert.deepEqual(
      violations(judges, (_, { specifier }, target) => !allowed.test(target ?? specifier)),
      [],
    );
    const history = everySource.find(({ file }) => file === "test/world/history/history.ts");
    assert.deepEqual(history?.imports, []);
  });

  it("no loop device is detached by its name, which may be another's by now", async () => {
    const texts = await Promise.all(
      ["agent", "controller", "proto", "scripts", "test", ".ci"].map(async (folder) =>
        (await readdir(path.join(repository, folder), { recursive: true, withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map((entry) => path.relative(repository, path.join(entry.parentPath, entry.name)))
          .map((file) => ({ file, text: readFileSync(path.join(repository, file), "latin1") })),
      ),
    );
    // Words of a command, in a script or as a list of arguments.
    const detaches = /\blosetup\b["',[\s]*([^;)\]]*["'\s])?(--detach(-all)?|-[a-zA-Z]*[dD])\b/;
    assert.match('execa("losetup", ["--detach", device])', detaches);
    assert.match("losetup -d /dev/loop0", detaches);
    assert.doesNotMatch('execa("losetup", ["--find", "--show", file])', detaches);
    const self = path.relative(repository, import.meta.filename);
    assert.deepEqual(
      texts
        .flat()
        .filter(({ file, text }) => file !== self && detaches.test(text))
        .map(({ file }) => file),
      [],
    );
  });

  it("nothing outside the two main.ts constructs a credential", () => {
    const credentials = ["credentials", "ChannelCredentials", "ServerCredentials"];
    assert.deepEqual(
      violations(
        sources.filter(({ file }) => file !== "agent/main.ts" && file !== "controller/main.ts"),
        (_, { names, specifier, typeOnly }) =>
          specifier === "@grpc/grpc-js" && !typeOnly && names.some((name) => credentials.includes(name)),
      ),
      [],
    );
  });

  it("no file or folder has a name that says nothing", () => {
    const empty = /(^|[/-])(utils?|helpers?|common|misc|managers?|shared|lib)([-./]|$)/;
    assert.deepEqual(
      everySource.map(({ file }) => file).filter((file) => empty.test(file)),
      [],
    );
  });

  it("names files in kebab-case", () => {
    assert.deepEqual(
      everySource.map(({ file }) => file).filter((file) => !/^[a-z0-9/.-]+$/.test(file)),
      [],
    );
  });
});
