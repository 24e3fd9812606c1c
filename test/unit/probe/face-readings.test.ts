import { expect, it } from 'vitest';
import { FaceReadings } from '../../../src/probe/face-readings.js';
import { sighting } from './probe-facts.js';

it('counts each face once, however long it stood there', () => {
  const readings = new FaceReadings();
  for (let i = 0; i < 50; i++) readings.add(sighting({ trackId: 1, widthPx: 200, luma: 60 }));
  for (const widthPx of [40, 40]) readings.add(sighting({ trackId: 2, widthPx, luma: 100 }));
  for (const widthPx of [20, 30, 60]) readings.add(sighting({ trackId: 3, widthPx, luma: 100 }));
  expect(readings.summary(50)).toMatchObject({
    count: 3,
    sightings: 55,
    widthPx: { min: 30, median: 40, max: 200 },
    luma: 100,
  });
});

it('takes what showed once only for no face, unless there were hardly any frames', () => {
  const readings = new FaceReadings();
  readings.add(sighting({ trackId: 1 }));
  expect(readings.summary(68)).toBeNull();
  expect(readings.summary(3)).toMatchObject({ count: 1 });
  readings.add(sighting({ trackId: 2 }));
  readings.add(sighting({ trackId: 2 }));
  expect(readings.summary(68)).toMatchObject({ count: 1, sightings: 2 });
});

it('tells what share could be judged, and why the rest could not', () => {
  const readings = new FaceReadings();
  const not = (reason: 'blurred' | 'cut_off') => ({ assessable: false, quality: 0, reason }) as const;
  readings.add(sighting());
  readings.add(sighting({ assessment: not('blurred') }));
  readings.add(sighting({ assessment: not('blurred') }));
  readings.add(sighting({ trackId: 2, assessment: not('cut_off') }));
  readings.add(sighting({ trackId: 2, assessment: not('cut_off') }));
  expect(readings.summary(50)).toMatchObject({
    assessableShare: 0.2,
    notAssessable: { blurred: 2, cut_off: 2 },
  });
});

it('has no summary of nobody', () => {
  expect(new FaceReadings().summary(50)).toBeNull();
});
