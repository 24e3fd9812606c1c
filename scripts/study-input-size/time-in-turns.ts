import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const ROUNDS = 40;
const WARM_UP_ROUNDS = 4;
const BATCHES = [1, 8] as const;

/** Least time of a crop, milliseconds, alone and of eight at once. */
export interface FormTimes {
  readonly msAlone: number;
  readonly msOfEight: number;
}

/** Times models on one thread of ONNX Runtime; runs take turns, so that a busy machine is unfair to none. */
export async function timeInTurns(
  forms: readonly { readonly folder: string; readonly inputPx: number }[],
): Promise<FormTimes[]> {
  const sessions = await Promise.all(
    forms.map(({ folder }) =>
      InferenceSession.create(join(folder, 'model.onnx'), { intraOpNumThreads: 1, interOpNumThreads: 1 }),
    ),
  );
  const least = forms.map(() => BATCHES.map(() => Number.POSITIVE_INFINITY));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++)
    for (const [index, { inputPx }] of forms.entries())
      for (const [at, batch] of BATCHES.entries()) {
        const shape = [batch, inputPx, inputPx, 3];
        const noise = Uint8Array.from({ length: batch * inputPx ** 2 * 3 }, () => Math.random() * 256);
        const pixels = new Tensor('uint8', noise, shape);
        const startMs = performance.now();
        await sessions[index]!.run({ pixels });
        const ms = (performance.now() - startMs) / batch;
        if (round >= 0) least[index]![at] = Math.min(least[index]![at]!, ms);
      }
  for (const session of sessions) await session.release();
  return least.map(([msAlone = 0, msOfEight = 0]) => ({ msAlone, msOfEight }));
}
