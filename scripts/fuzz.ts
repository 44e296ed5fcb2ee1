// `npm run fuzz`: every parser of what comes from outside against hostile input, for as long as wanted. See fuzz.help.
import process from "node:process";
import { inspect, parseArgs } from "node:util";
import { groups } from "../test/fuzz/families.ts";
import { createPlayer } from "../test/fuzz/frame/player.ts";
import { saveFinding } from "../test/fuzz/frame/saved-inputs.ts";

/** One family's turn, unless there is less time than that for each. */
const turnMs = 20_000;

function refuse(message: string): never {
  process.stderr.write(`fuzz: ${message}\n`);
  process.exit(2);
}

function numberOf(text: string, option: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : refuse(`--${option} ${text} is not a number`);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        minutes: { type: "string", default: "60" },
        family: { type: "string", default: "" },
        seed: { type: "string" },
        list: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

const options = readOptions();
const minutes = numberOf(options.minutes, "minutes");
const fixedSeed = options.seed === undefined ? undefined : Math.trunc(numberOf(options.seed, "seed"));
const names = Object.values(groups)
  .flat()
  .map(({ name }) => name)
  .filter((name) => name.includes(options.family));
if (names.length === 0) refuse(`no family has "${options.family}" in its name; list them with --list`);
if (options.list) {
  process.stdout.write(`${names.join("\n")}\n`);
  process.exit(0);
}

const startedAt = performance.now();
const leftMs = (): number => startedAt + minutes * 60_000 - performance.now();
const player = createPlayer(new URL("../test/fuzz/families.ts", import.meta.url).href);
/** A family that is broken is not asked again: it would only be found to be the same. */
const broken = new Set<string>();
let turns = 0;
while (leftMs() > 0 && broken.size < names.length) {
  const sound = names.filter((name) => !broken.has(name));
  const budgetMs = Math.max(100, Math.min(turnMs, leftMs() / sound.length));
  for (const name of sound) {
    if (leftMs() <= 0 && turns >= names.length) break;
    const seed = fixedSeed ?? Math.floor(Math.random() * 2 ** 31);
    const finding = await player.play(name, seed, budgetMs);
    turns += 1;
    if (finding === undefined) continue;
    broken.add(name);
    saveFinding(finding);
    const input = inspect(finding.input, { maxStringLength: 2_000, maxArrayLength: 500 });
    process.stdout.write(
      `fuzz: BROKEN: ${name} (seed ${seed}, path ${finding.path})\n${finding.error}\nthe input: ${input}\n\n`,
    );
  }
}
await player.close();
const took = ((performance.now() - startedAt) / 60_000).toFixed(1);
process.stdout.write(
  `fuzz: ${names.length} families, ${turns} turns in ${took} minutes; ${
    broken.size === 0 ? "nothing found" : `broken: ${[...broken].join(", ")}; kept in test/fuzz/seeds.json`
  }\n`,
);
process.exitCode = broken.size === 0 ? 0 : 1;
