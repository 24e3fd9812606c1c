import type { DataProblem, ReadingOptions } from './formats/annotated-scene.js';
import { readLabelMap } from './label-names.js';

export type ProblemCounts = Readonly<Partial<Record<DataProblem['kind'], number>>>;

const MOST_NAMED = 5;

/** Collects what a reader leaves out, to be counted in a report and named to people. */
export class ProblemList {
  readonly #problems: DataProblem[] = [];

  readonly add = (problem: DataProblem): void => {
    this.#problems.push(problem);
  };

  get all(): readonly DataProblem[] {
    return this.#problems;
  }

  counts(): ProblemCounts {
    const counts: Partial<Record<DataProblem['kind'], number>> = {};
    for (const { kind } of this.#problems) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  /** For reports: empty when nothing was left out. */
  leftOut(): { readonly leftOut?: ProblemCounts } {
    return this.#problems.length > 0 ? { leftOut: this.counts() } : {};
  }

  /** For people: the first few by name, and how many more there are. Empty when there is none. */
  describe(): string[] {
    const lines = this.#problems
      .slice(0, MOST_NAMED)
      .map(({ path, message }) => `left out: ${path} ${message}`);
    const more = this.#problems.length - lines.length;
    return more > 0 ? [...lines, `left out: ${more} more; maskwatch data check DIR names all`] : lines;
  }
}

/** What a command needs to read data: the label map that was given, and a list of what is left out. */
export async function openReading(
  labelMap: string | undefined,
): Promise<{ readonly reading: ReadingOptions; readonly problems: ProblemList }> {
  const problems = new ProblemList();
  const map = labelMap === undefined ? {} : { labelMap: await readLabelMap(labelMap) };
  return { reading: { ...map, onProblem: problems.add }, problems };
}
