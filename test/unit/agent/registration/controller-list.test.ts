import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createControllerList } from "../../../../agent/registration/controller-list.ts";
import type { Endpoint } from "../../../../proto/names/endpoint.ts";

const at = (hosts: string): Endpoint[] => [...hosts].map((host) => ({ host, port: 7700 }));
const named = (hosts: string) => {
  const list = createControllerList(at(hosts));
  return {
    list,
    all: () =>
      list
        .all()
        .map(({ host }) => host)
        .join(""),
    now: () => list.current()?.host,
  };
};

describe("the list of controllers", () => {
  it("is tried from its first entry on, each once in a round, and then from the first again", () => {
    const { list, now } = named("abc");
    assert.equal(now(), "a");
    assert.deepEqual([list.failed(), now()], [true, "b"]);
    assert.deepEqual([list.failed(), now()], [true, "c"]);
    assert.deepEqual([list.failed(), now()], [false, "a"]);
    assert.deepEqual([list.failed(), now()], [true, "b"]);
  });

  it("sticks to the one that answers, and starts a round from there when that fails", () => {
    const { list, now } = named("abc");
    list.failed();
    list.answered();
    assert.equal(now(), "b");
    assert.deepEqual([list.failed(), list.failed(), list.failed(), now()], [true, true, false, "b"]);
  });

  it("has one entry for one address, and nothing to try next to a single one", () => {
    const { list, all, now } = named("aba");
    assert.equal(all(), "ab");
    assert.deepEqual([named("a").list.failed(), named("").list.failed(), named("").now()], [false, false, undefined]);
    assert.equal(now(), "a");
    assert.equal(list.all().length, 2);
  });

  it("tries first where the controller says that it has moved, and keeps what it knew behind it", () => {
    const { list, all, now } = named("ab");
    list.failed();
    list.learn(at("xa"));
    assert.deepEqual([all(), now()], ["xab", "x"]);
    list.learn([]);
    assert.equal(all(), "xab");
  });

  it("goes by what the controller that answers says of itself, and never loses the address that answers", () => {
    const { list, all, now } = named("abc");
    list.failed();
    list.replace(at("xb"));
    assert.deepEqual([all(), now()], ["xb", "b"]);
    list.replace(at("yz"));
    assert.deepEqual([all(), now()], ["yzb", "b"]);
    list.replace([]);
    assert.deepEqual([all(), now()], ["yzb", "b"]);
    list.replace(at("12345678"));
    assert.deepEqual([all(), now()], ["1234567b", "b"]);
  });

  it("keeps no more than eight", () => {
    const { list, all } = named("12345678");
    list.learn(at("xy"));
    assert.equal(all(), "xy123456");
  });
});
