import { describe, expect, it } from 'vitest';
import type { NotAssessableReason } from '../../../src/domain/label.js';
import type { FaceSighting } from '../../../src/probe/face-readings.js';
import { type PlacementFacts, ratePlacement } from '../../../src/probe/placement.js';
import { facts, sighting, summary } from './probe-facts.js';

const rate = (face: Partial<FaceSighting>, what: Partial<PlacementFacts> = {}) =>
  ratePlacement(facts({ faces: summary(face), ...what }));

describe('the placement score', () => {
  it('is 100 where nothing would gain', () => {
    const { score, parts, advice } = ratePlacement(facts());
    expect(score).toBe(100);
    expect(Object.values(parts!)).toEqual([1, 1, 1, 1, 1]);
    expect(advice).toEqual([expect.stringMatching(/^Nothing to improve: faces are 40 px across/)]);
  });

  it('falls with every trait that gets worse, and never rises', () => {
    const worse: readonly [keyof FaceSighting, readonly number[]][] = [
      ['analysedPx', [64, 32, 28, 24, 20, 16, 12, 9, 8, 5]],
      ['yawDegrees', [0, 15, 25, 40, 60, 80, 90]],
      ['pitchDegrees', [0, 20, 30, 45, 60, 80]],
      ['pitchDegrees', [-5, -20, -30, -45, -60, -80]],
      ['luma', [120, 90, 70, 50, 30, 10]],
      ['luma', [200, 220, 240, 252]],
      ['lumaSpread', [30, 18, 14, 8, 4]],
      ['sharpness', [2000, 500, 200, 80, 40, 20, 10]],
    ];
    for (const [trait, values] of worse) {
      const scores = values.map((value) => rate({ [trait]: value }).score!);
      expect(scores, `${trait}: ${scores}`).toEqual([...scores].sort((a, b) => b - a));
      expect(scores[0], trait).toBeGreaterThan(95);
      expect(scores.at(-1)!, `${trait}: ${scores}`).toBeLessThan(scores[0]! - 20);
    }
  });

  const not = (reason: NotAssessableReason) =>
    ({ assessment: { assessable: false, quality: 0, reason } }) as const;

  it('is 0 where nobody can be judged, whatever else is good', () => {
    expect(rate({ analysedPx: 7, ...not('too_small') })).toMatchObject({
      score: 0,
      parts: { size: 0, light: 1, assessable: 0 },
    });
    expect(rate({ sharpness: 15, ...not('blurred') })).toMatchObject({ score: 0, parts: { sharpness: 0 } });
    expect(rate(not('cut_off'))).toMatchObject({ score: 0, parts: { assessable: 0 } });
  });

  it('is low, and not 0, where some can be judged though the median face cannot', () => {
    const some = (face: Partial<FaceSighting>) =>
      ratePlacement(facts({ faces: { ...summary(face), assessableShare: 0.2 } })).score!;
    for (const face of [{ analysedPx: 7 }, { sharpness: 15 }, { luma: 10 }, { yawDegrees: 90 }]) {
      expect(some(face), JSON.stringify(face)).toBeGreaterThan(0);
      expect(some(face), JSON.stringify(face)).toBeLessThan(60);
    }
    expect(some({ analysedPx: 7 })).toBeLessThan(25);
  });

  it('keeps to the limits of the configuration', () => {
    expect(rate({ analysedPx: 15 }).parts!.size).toBeGreaterThan(0.3);
    expect(rate({ analysedPx: 15 }, { limits: { minFacePx: 16, minSharpness: 20 } }).parts!.size).toBe(0.02);
  });

  it('is that of the median face', () => {
    const readings = summary();
    const far = { ...readings, analysedPx: { min: 4, median: 40, max: 90 } };
    expect(ratePlacement(facts({ faces: far })).score).toBe(100);
  });
});

describe('advice', () => {
  it('says how large faces are, how large they should be, and what the camera has to give', () => {
    const { advice } = rate({ analysedPx: 14 }, { source: { width: 2560, height: 1440 } });
    expect(advice).toEqual([
      'Faces are 14 px across in the analysed picture; 32 or more are needed: move the camera closer, zoom in or raise analysis.widthPx to 1600 and heightPx to 900, and detection.widthPx and heightPx with them (the camera sends 2560x1440).',
    ]);
    const small = rate({ analysedPx: 6 }, { source: { width: 640, height: 360 } }).advice[0];
    expect(small).toContain('below 8 px (classification.minFacePx) nobody is judged');
    expect(small).not.toContain('analysis.widthPx');
  });

  it('points to the main stream, and to a larger picture, where these are what is missing', () => {
    const source = { width: 640, height: 360 };
    expect(rate({ analysedPx: 14 }, { source, isSubStream: true }).advice[0]).toContain('leave subUrl out');
    expect(
      rate({ analysedPx: 14 }, { source: { width: 352, height: 288 }, analysed: { width: 440, height: 360 } })
        .advice[0],
    ).toContain('send a larger picture than 352x288');
  });

  it('tells light from behind from too little light, and both from too much', () => {
    expect(rate({ luma: 50 }, { pictureLuma: 140 }).advice[0]).toMatch(
      /50 of 255.*bright background \(140\).*WDR/,
    );
    expect(rate({ luma: 50 }, { pictureLuma: 45 }).advice[0]).toMatch(
      /Faces are dark \(50 of 255.*put light/,
    );
    expect(rate({ luma: 240 }).advice[0]).toContain('overexposed (240 of 255)');
    expect(rate({ lumaSpread: 6 }).advice[0]).toContain('hardly any contrast');
  });

  it('tells from the side from from above', () => {
    expect(rate({ yawDegrees: 60 }).advice[0]).toContain('about 60° to the side');
    expect(rate({ pitchDegrees: 48 }).advice[0]).toMatch(/48° above: hang the camera lower/);
    expect(rate({ pitchDegrees: -48 }).advice[0]).toMatch(/48° below: hang the camera higher/);
    expect(rate({ yawDegrees: 60, pitchDegrees: 48 }).advice[0]).toMatch(/side.*above/);
  });

  it('names why faces could not be judged', () => {
    const readings = summary({ assessment: { assessable: false, quality: 0, reason: 'cut_off' } });
    const faces = { ...readings, assessableShare: 0.5, notAssessable: { cut_off: 1, turned_away: 1 } };
    expect(ratePlacement(facts({ faces })).advice[0]).toBe(
      'Only 50 % of what was seen of faces could be judged: 25 % were cut off by the edge of the picture, 25 % were turned away. Aim the camera so that faces stay inside the picture.',
    );
  });

  it('says what costs most first', () => {
    const { advice } = rate({ analysedPx: 22, luma: 30, yawDegrees: 40 }, { pictureLuma: 30 });
    expect(advice.map((text) => /px|dark|side/.exec(text)?.[0])).toEqual(['dark', 'px', 'side']);
  });

  it('asks for somebody to stand there where nobody was seen, and says that it is dark', () => {
    expect(ratePlacement(facts({ faces: null }))).toEqual({
      score: null,
      parts: null,
      advice: [
        'Nobody was seen in 10 s: have somebody stand where people pass, looking towards the camera, and run this again.',
      ],
    });
    const dark = ratePlacement(facts({ faces: null, pictureLuma: 8 }));
    expect(dark.advice[0]).toContain('The whole picture is dark (8 of 255)');
  });

  it('owns up to few faces', () => {
    const faces = { ...summary(), count: 1, sightings: sighting().trackId };
    expect(ratePlacement(facts({ faces })).advice.at(-1)).toContain('rests on one face');
  });
});
