import type { EngineQuestion } from '../../inference/choose-engine.js';
import type { EngineDevice } from '../../inference/engine.js';
import { EngineProbe } from '../../inference/engine-probe.js';
import type { EngineName } from '../../inference/select-engine.js';
import { messageOf } from '../../lib/errors.js';

/** What came of starting an engine. */
export interface TriedEngine {
  /** What it computes on (`cpu`, `cuda`, `tensorflow-gpu`, …); null when it did not start at all. */
  readonly ranOn: string | null;
  /** What was asked for by name and is not to be had, or why nothing started. */
  readonly failure: string | null;
  /** For people: how it started, in how long. */
  readonly detail: string;
}

/**
 * Starts an engine in a process of its own and ends it again: a library that does not fit the machine may take that
 * process down, which is then an answer like any other. With `withModels` both models of `question` are loaded and run
 * once. Rejects with the signal's reason alone.
 */
export async function tryEngine(
  question: EngineQuestion,
  asked: { readonly engine: EngineName; readonly device: EngineDevice; readonly withModels: boolean },
  signal: AbortSignal,
): Promise<TriedEngine> {
  const { detectorModelDir: modelDir, detectorWidth: widthPx, detectorHeight: heightPx } = question;
  const { engine, device, withModels } = asked;
  try {
    const probe = await EngineProbe.open(
      {
        ...{ engine, device, threads: question.threads },
        detector: withModels ? { modelDir, widthPx, heightPx } : null,
        classifierDir: withModels ? question.classifierModelDir : null,
      },
      signal,
    );
    await probe.close();
    signal.throwIfAborted();
    const { version, reason, device: ranOn } = probe.info;
    const how = reason.replace(/^\w+ was asked for: /, '');
    const loaded = `version ${version}, loaded in ${(probe.loadMs / 1000).toFixed(1)} s`;
    return { ranOn, failure: probe.shortfall ?? null, detail: `${loaded}; ${how}` };
  } catch (error) {
    signal.throwIfAborted();
    const failure = messageOf(error).split('\n')[0]!;
    return { ranOn: null, failure, detail: failure };
  }
}
