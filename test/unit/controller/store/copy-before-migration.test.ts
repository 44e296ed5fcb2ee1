import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { copyBeforeMigration, migrationCopiesOf } from "../../../../controller/store/copy-before-migration.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import { migrate, migrations } from "../../../../controller/store/schema.ts";

describe("a database that gets a newer schema", () => {
  let folder: string;
  let file: string;
  const older = migrations.length - 1;
  const copyOf = (version: number): string => `${file}.schema-${version}`;

  function fill(version: number): void {
    const database = new DatabaseSync(file);
    migrate(database, migrations.slice(0, version));
    database.exec(
      "INSERT INTO nodes (id, name, accepted, boot_target, last_seen_at, discovered_at) VALUES ('b8:27:eb:00:00:01', 'pi-1', 1, 'agent', 1, 1)",
    );
    database.close();
  }

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-migration-"));
    file = path.join(folder, "pallet.sqlite");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is kept beside as it was, for its owner alone, and an older Pallet starts from that", () => {
    fill(older);
    openStore(file).close();
    assert.equal(statSync(copyOf(older)).mode & 0o777, 0o600);
    copyFileSync(copyOf(older), file);
    rmSync(`${file}-wal`, { force: true });
    const database = new DatabaseSync(file);
    migrate(database, migrations.slice(0, older));
    assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], older);
    assert.equal(database.prepare("SELECT name FROM nodes").get()?.["name"], "pi-1");
    database.close();
  });

  it("is not copied where nothing changes: a new one, and one of this schema", () => {
    openStore(file).close();
    openStore(file).close();
    assert.deepEqual(migrationCopiesOf(file), []);
  });

  it("keeps the copies of two schemas, the newest", () => {
    for (const version of [2, 9, 10]) writeFileSync(copyOf(version), "an older copy");
    writeFileSync(`${file}.schema-x`, "somebody's own");
    fill(older);
    openStore(file).close();
    assert.deepEqual(migrationCopiesOf(file), [copyOf(10), copyOf(older)]);
    assert.ok(existsSync(`${file}.schema-x`));
  });

  it("is left at its old schema where it cannot be copied", () => {
    fill(older);
    const database = new DatabaseSync(file);
    assert.throws(() => copyBeforeMigration(database, path.join(folder, "missing", "pallet.sqlite")), /ENOENT/);
    assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], older);
    database.close();
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith(".new")),
      [],
    );
  });
});
