import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { readConfig } from "../../../../controller/config/read-config.ts";

describe("readConfig", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-config-"));
    writeFileSync(path.join(folder, "c.yaml"), "grpcPort: 1\nstateDirectory: state\n");
    writeFileSync(path.join(folder, "bad.yaml"), "grpcPort: x\nhttpPort: y\n");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("reads the file that the flag names, or the variable, relative to the working folder", async () => {
    const byFlag = await readConfig({ options: { config: "c.yaml" }, env: {}, workingDirectory: folder });
    const env = { PALLET_CONFIG: path.join(folder, "c.yaml") };
    const byVariable = await readConfig({ options: {}, env, workingDirectory: "/" });
    assert.equal(byFlag.grpcPort, 1);
    assert.equal(byFlag.stateDirectory, path.join(folder, "state"));
    assert.deepEqual(byVariable, byFlag);
  });

  it("refuses a file that was named and cannot be read, with everything else that is wrong", async () => {
    await assert.rejects(
      readConfig({ options: { config: "none.yaml", grpcPort: "x" }, env: {}, workingDirectory: folder }),
      {
        reason: "invalid",
        message: /2 problems.*--grpc-port.*none\.yaml: cannot be read \(ENOENT\)|2 problems.*none\.yaml.*--grpc-port/s,
      },
    );
  });

  it("throws one Failure with every problem", async () => {
    await assert.rejects(readConfig({ options: { config: "bad.yaml" }, env: {}, workingDirectory: folder }), {
      message: /2 problems:\n.*bad\.yaml line 1.*\n.*bad\.yaml line 2/,
    });
  });
});
