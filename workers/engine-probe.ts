import type { InferenceEngine, LoadedModel, Tensor } from '../src/inference/engine.js';
import { readManifest } from '../src/inference/manifest.js';
import { selectEngine } from '../src/inference/select-engine.js';
import { toErrorShape } from '../src/lib/errors.js';
import { ENGINES } from './engines.js';
import type { ProbeAnswer, ProbeQuestion, ProbeSpec } from './probe-protocol.js';

/*
 * A process that loads one engine and times it, apart from everybody else: a library that does not fit the machine may
 * end the process it is loaded into, and what it takes of memory it never gives back.
 */

interface Loaded {
  readonly model: LoadedModel;
  /** Batch sizes that have run. */
  readonly warm: Set<number>;
  input(batchSize: number): Record<string, Tensor>;
}

const SCORE_CROPS = 4;

async function main(): Promise<void> {
  const spec = JSON.parse(process.argv[2] ?? '{}') as ProbeSpec;
  const startMs = performance.now();
  const engine = await selectEngine(spec.engine, { threads: spec.threads, device: spec.device }, ENGINES);
  const { detector: wanted } = spec;
  const detector = wanted && (await load(engine, wanted.modelDir, [wanted.heightPx, wanted.widthPx]));
  const classifier = spec.classifierDir === null ? null : await load(engine, spec.classifierDir, null);
  if (detector) await detector.model.run(detector.input(1));
  if (classifier) await classifier.model.run(classifier.input(1));
  tell({ kind: 'ready', info: engine.info, loadMs: performance.now() - startMs });

  const answer = async (question: ProbeQuestion): Promise<ProbeAnswer> => {
    const subject = question.kind === 'detect' ? detector : classifier;
    if (!subject) throw new Error(`no model for ${question.kind}`);
    if (question.kind === 'scores') {
      const outputs = await subject.model.run(subject.input(SCORE_CROPS));
      return { kind: 'scores', scores: Object.values(outputs).flatMap(({ data }) => Array.from(data)) };
    }
    return time(subject, question.kind === 'detect' ? 1 : question.batchSize, question.budgetMs);
  };
  process.on('message', (question: ProbeQuestion) => {
    answer(question).then(tell, fail);
  });
  // Nobody asks any more.
  process.once('disconnect', () => process.exit(0));
}

async function load(
  engine: InferenceEngine,
  modelDir: string,
  size: readonly [number, number] | null,
): Promise<Loaded> {
  const { input } = await readManifest(modelDir);
  const model = await engine.load(modelDir);
  const height = size?.[0] ?? input.heightPx ?? 224;
  const width = size?.[1] ?? input.widthPx ?? 224;
  return {
    model,
    warm: new Set(),
    input: (batchSize) => ({
      [input.name]: { data: noise(batchSize * height * width * 3), shape: [batchSize, height, width, 3] },
    }),
  };
}

/** Not zeros: some kernels are quicker on them. The same bytes in every process. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

async function time(subject: Loaded, batchSize: number, budgetMs: number): Promise<ProbeAnswer> {
  const input = subject.input(batchSize);
  // The first run of a size allocates.
  if (!subject.warm.has(batchSize)) await subject.model.run(input);
  subject.warm.add(batchSize);
  const times: number[] = [];
  for (let totalMs = 0; times.length < 1 || totalMs < budgetMs; ) {
    const startMs = performance.now();
    await subject.model.run(input);
    const ms = performance.now() - startMs;
    times.push(ms);
    totalMs += ms;
  }
  times.sort((a, b) => a - b);
  return { kind: 'time', ms: times[times.length >> 1]!, runs: times.length };
}

function tell(answer: ProbeAnswer): void {
  process.send?.(answer);
}

function fail(error: unknown): void {
  tell({ kind: 'failed', error: toErrorShape(error, 'INFERENCE_FAILED') });
}

console.log = console.error;
console.info = console.error;
main().catch((error) => {
  fail(error);
  process.disconnect?.();
});
