import { messageOf } from "../../../proto/failure.ts";
import { type CardContent, type Contender, placingPart } from "../contenders/contender.ts";
import type { Figures } from "../measure/figures.ts";
import { medians } from "../measure/statistics.ts";
import type { BenchStage } from "../stage/bench-stage.ts";

/** Every run of one row of the table. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly verifies: boolean;
  readonly runs: readonly Partial<Figures>[];
  /** Why there are no runs. */
  readonly absence?: string;
}

/** What the runs of a row have cost, each figure by itself; nothing where there were none. */
export function mediansOf(rows: readonly Row[], id: string): Partial<Figures> {
  return medians<keyof Figures>(rows.find((row) => row.id === id)?.runs ?? []);
}

/** What makes and checks the content of the stage's card. */
export interface CardWork {
  put(content: CardContent): Promise<void>;
  /** Throws unless the card holds it. */
  check(content: CardContent): Promise<void>;
}

/**
 * Runs every contender once, then every one again, and so on, so that whatever else happens on the machine meets all of
 * them. The card of the first run of each is compared with the image. A contender that fails has its error as absence.
 */
export async function runRounds(
  stage: BenchStage,
  contenders: readonly Contender[],
  runs: number,
  card: CardWork,
): Promise<readonly Row[]> {
  const rows = new Map<string, { title: string; verifies: boolean; runs: Partial<Figures>[]; absence?: string }>();
  let content: CardContent | undefined;
  for (let run = 1; run <= runs; run += 1) {
    for (const contender of contenders) {
      const { id, title, verifies } = contender;
      const row = rows.get(id) ?? { title, verifies, runs: [] };
      rows.set(id, row);
      if (row.absence !== undefined) continue;
      try {
        const absence = run === 1 ? await contender.absence(stage) : undefined;
        if (absence !== undefined) {
          row.absence = absence;
          continue;
        }
        if (content !== contender.before) await card.put(contender.before);
        content = undefined;
        const { figures, parts = {} } = await contender.run(stage);
        if (run === 1) await card.check(contender.after);
        content = contender.after;
        row.runs.push(figures);
        stage.note(`run ${run} of ${id}: ${JSON.stringify(figures)}`);
        for (const [part, partFigures] of Object.entries(parts)) {
          const known = rows.get(part) ?? {
            title: part.endsWith(placingPart)
              ? "… only what is placed: of the same runs"
              : "… write only: the same runs until they begin to read back",
            verifies: false,
            runs: [],
          };
          rows.set(part, known);
          known.runs.push(partFigures);
        }
      } catch (error) {
        row.absence = `failed: ${messageOf(error)}`;
        stage.note(`${id} ${row.absence}`);
      }
    }
  }
  return [...rows].map(([id, row]) => ({ id, ...row }));
}
