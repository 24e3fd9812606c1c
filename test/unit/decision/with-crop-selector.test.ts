import { describe, expect, it } from 'vitest';
import { CropSelector } from '../../../src/crops/crop-selector.js';
import type { MaskScores } from '../../../src/domain/label.js';
import { faceAt, seededRandom } from '../tracking/make-face.js';
import { BARE, CameraScript, MASKED, PERIOD_MS } from './camera-script.js';

/** One person in view; what the selector chooses is classified, with the given share of wild answers. */
function watch(scoresAt: (ms: number) => MaskScores, endMs: number, wildShare: number, seed = 1) {
  const random = seededRandom(seed);
  const script = new CameraScript();
  const selector = new CropSelector({ recheckMs: 1000, maxCropsPerFrame: 8 });
  const startMs = script.monotonicMs;
  let classifications = 0;
  for (let ms = 0; ms < endMs; ms += PERIOD_MS) {
    const detection = faceAt(640, 360, 60);
    const track = { trackId: 1, state: 'confirmed', box: detection.box, detection } as const;
    const crops = selector.select(
      [
        {
          track: { ...track, firstSeenMs: 0, lastSeenMs: ms, hits: 5 },
          assessment: { assessable: true, quality: 0.8 },
        },
      ],
      script.maker.decisions,
      startMs + ms,
    );
    classifications += crops.length;
    const truth = scoresAt(ms);
    const answer = random() < wildShare ? (truth === BARE ? MASKED : BARE) : truth;
    script.frame([crops.length > 0 ? { id: 1, scores: answer } : { id: 1 }]);
  }
  return { script, classifications, startMs: startMs + PERIOD_MS };
}

describe('crop selection and decision together', () => {
  it('open and close one episode in good time, at about one classification a second', () => {
    const { script, classifications, startMs } = watch((ms) => (ms < 30_000 ? BARE : MASKED), 60_000, 0);
    expect(script.story.filter((entry) => !entry.startsWith('updated'))).toEqual([
      'opened 1',
      'closed complied 1',
    ]);
    const openedMs = script.changeTimesMs[0]! - startMs;
    const closedMs = script.changeTimesMs.at(-1)! - startMs - 30_000;
    expect(openedMs).toBeLessThanOrEqual(2600);
    // At most one recheck until the mask is noticed, a few frames to be sure, and the grace time.
    expect(closedMs).toBeLessThanOrEqual(1000 + 1000 + 2000);
    expect(classifications).toBeLessThan(60 + 15);
  });

  it('are not moved by one answer in twelve that is wild', () => {
    for (let seed = 1; seed <= 10; seed++) {
      expect(watch(() => MASKED, 120_000, 1 / 12, seed).script.story).toEqual([]);
      const bare = watch(() => BARE, 120_000, 1 / 12, seed).script.story;
      expect(bare.filter((entry) => !entry.startsWith('updated'))).toEqual(['opened 1']);
    }
  });
});
