import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { execa } from "execa";

const effects = new URL("../../../../../controller/cli/connection/process-effects.ts", import.meta.url).href;

/** A process of its own that has the effects as `effects` and runs this code. */
function program(code: string) {
  const source = `import { createProcessEffects } from ${JSON.stringify(effects)};
    const effects = createProcessEffects();
    ${code}`;
  return execa(process.execPath, ["--input-type=module", "-e", source], { reject: false, stdin: "pipe" });
}

/** A process that stops watching at the first signal and then hangs. */
const stubborn = `
  effects.onStop((signal) => effects.stdout.write("stopping by " + signal + "\\n"));
  effects.stdout.write("ready\\n");
  setInterval(() => {}, 1000);`;

describe("effects of the process", () => {
  it("read a line, leave the rest of stdin alone, and let the process end", async () => {
    const child = program(`effects.stdout.write(String(await effects.stdin.readLine(new AbortController().signal)));`);
    // stdin stays open: the process has to end although more could come.
    child.stdin.write("yes\nno\n");
    const { stdout, exitCode } = await child;
    assert.deepEqual([stdout, exitCode], ["yes", 0]);
  });

  it("tell the end of stdin", async () => {
    const child = program(`effects.stdout.write(String(await effects.stdin.readLine(new AbortController().signal)));`);
    child.stdin.end();
    assert.equal((await child).stdout, "undefined");
  });

  it("stop reading a line when told so", async () => {
    const child = program(`
      const stop = new AbortController();
      const line = effects.stdin.readLine(stop.signal);
      stop.abort(new Error("stopped"));
      effects.stdout.write(await line.catch((error) => error.message));`);
    assert.equal((await child).stdout, "stopped");
  });

  it("pass a first Ctrl-C to the command, and let a second one end the process at once", async () => {
    const child = program(stubborn);
    let told = "";
    child.stdout.on("data", (data: Buffer) => {
      const before = told;
      told += data.toString();
      if (!before.includes("ready") && told.includes("ready")) child.kill("SIGINT");
      if (!before.includes("stopping") && told.includes("stopping")) child.kill("SIGINT");
    });
    const { exitCode } = await child;
    assert.equal(told, "ready\nstopping by SIGINT\n");
    assert.equal(exitCode, 130);
  });

  it("take signals as everybody does when no command listens any more", async () => {
    const child = program(
      `effects.onStop(() => effects.stdout.write("heard"))(); ${stubborn.replace(/effects\.onStop.*/, "")}`,
    );
    child.stdout.once("data", () => child.kill("SIGTERM"));
    const { signal, stdout } = await child;
    assert.deepEqual([signal, stdout], ["SIGTERM", "ready"]);
  });

  it("end the process quietly when the reader of its output has gone", async () => {
    const child = program(`setInterval(() => effects.stdout.write("x".repeat(100_000)), 5);`);
    child.stdout.once("data", () => child.stdout.destroy());
    const { exitCode, stderr } = await child;
    assert.deepEqual([exitCode, stderr], [141, ""]);
  });

  it("say that a pipe is not a terminal and still give it a size", async () => {
    const { stdout } = await program(
      `effects.stdout.write(JSON.stringify([effects.stdout.isTerminal, effects.stdin.isTerminal, effects.stdout.size()]));`,
    );
    assert.equal(stdout, '[false,false,{"columns":80,"rows":24}]');
  });
});
