import type { TrainingProgress } from '../training/train.js';
import { type Progress, startProgress } from './progress.js';

/** Shows the steps of long work one after the other, each with its own bar. */
export function stepProgress(): TrainingProgress {
  let current: Progress | undefined;
  return {
    begin(label, total, unit) {
      current?.stop();
      current = startProgress({ label, total, unit });
    },
    update: (done, text) => current?.update(done, text),
    end() {
      current?.stop();
      current = undefined;
    },
  };
}
