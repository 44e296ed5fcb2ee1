// README's picture is the live table that the command line really draws.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { renderTerminalSvg } from "../../../scripts/render-terminal-svg.ts";
import { assertGolden, goldenFile } from "../../golden.ts";

describe("README's picture of a rollout", () => {
  it("shows the golden file of the live table", () => {
    const screen = readFileSync(goldenFile("cli/rollout-table-colours"), "utf8");
    const svg = renderTerminalSvg(screen, "The live table of a rollout to nine Raspberry Pis");
    assertGolden("../../.github/rollout.svg", svg);
  });
});

describe("a terminal's screen as SVG", () => {
  const drawn = (screen: string) => renderTerminalSvg(screen, "a title");

  it("keeps columns apart by place, not by the reader's font", () => {
    const places = [...drawn("ab  cd\n    ef\n").matchAll(/<text x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"/g)];
    const [ab, cd, ef] = places.map(([, ...place]) => place.map(Number));
    assert.equal(places.length, 3);
    assert.equal(cd?.[0], ef?.[0]);
    assert.ok((ab?.[0] ?? 0) < (cd?.[0] ?? 0) && (cd?.[1] ?? 0) < (ef?.[1] ?? 0));
  });

  it("draws bars as rectangles, parts of a block as parts of its width", () => {
    const widths = [...drawn("██▌░░").matchAll(/<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"/g)].map(
      ([, width]) => width,
    );
    assert.deepEqual(widths, ["21", "16.8"]);
  });

  it("has the colours and weights that the codes ask for", () => {
    assert.match(drawn("\u001b[1mall\u001b[22m"), /font-weight="bold">all</);
    assert.match(drawn("\u001b[31mbad\u001b[39m good"), /fill="#ff7b72">bad</);
    assert.match(drawn("\u001b[2mless\u001b[22m"), /opacity="0.6">less</);
  });

  it("escapes what XML would take for markup", () => {
    assert.match(drawn("a<b & c>d"), />a&lt;b &amp; c&gt;d</);
  });

  it("refuses what it cannot draw", () => {
    assert.throws(() => drawn("\u001b[35mviolet"), /cannot draw SGR code 35/);
    assert.throws(() => drawn("\u001b[2Jgone"), /cannot draw this escape sequence/);
  });
});
