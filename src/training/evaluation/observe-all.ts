import type { LabelledPicture } from '../dataset/picture.js';
import type { PictureJudge } from './judge.js';
import { type Observation, observePicture } from './observe-picture.js';

export interface ObserveAllOptions {
  /** Pictures at once: the number of workers. */
  readonly concurrency: number;
  readonly onDone?: (done: number) => void;
  readonly signal?: AbortSignal;
  /** Makes an observation or takes a kept one. Default: makes it. */
  readonly take?: (picture: LabelledPicture, make: () => Promise<Observation>) => Promise<Observation>;
}

/** Runs the models over pictures; the observations come in the order of the pictures. */
export async function observeAll(
  pictures: readonly LabelledPicture[],
  judge: PictureJudge,
  { concurrency, onDone, signal, take = (_, make) => make() }: ObserveAllOptions,
): Promise<Observation[]> {
  const observations: Observation[] = new Array(pictures.length);
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let index = next++; index < pictures.length; index = next++) {
      signal?.throwIfAborted();
      const picture = pictures[index]!;
      observations[index] = await take(picture, () => observePicture(picture, judge));
      onDone?.(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work));
  return observations;
}
