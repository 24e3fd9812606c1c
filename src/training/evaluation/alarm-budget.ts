import type { MaskLabel } from '../../domain/label.js';
import { seededRandom } from '../../lib/random.js';
import { bootstrapIntervals, type Interval, wilsonInterval } from '../metrics/bootstrap.js';
import { groupBy } from './group-by.js';
import type { FaceRecord } from './judge-pictures.js';
import { type Look, simulateTrack, type TrackRules } from './simulate-track.js';

export interface AlarmRules extends TrackRules {
  /** People that pass a camera, all of them masked: the footage on which no alarm is right. */
  readonly tracksPerHour: number;
  /** False alarms per camera and day that are wanted at the most. */
  readonly budgetPerDay: number;
  /** The threshold in force (`policy.openThreshold`). */
  readonly openThreshold: number;
  /**
   * How alike the crops of one person are: the probability that a crop is judged as that person's labelled crop, and
   * not as a crop of another person of the same label. 0: every crop fails by chance; 1: all fail together.
   */
  readonly cropLikeness: number;
}

/** What is to be expected at one threshold. */
export interface AlarmRow {
  readonly openThreshold: number;
  /** Share of masked people for whom an episode opens, and what that is per camera and day. */
  readonly falseAlarmRate: number;
  readonly falseAlarmsPerCameraDay: { readonly value: number } & Interval;
  /** The same when all crops of a person fail together. */
  readonly worstCasePerCameraDay: { readonly value: number } & Interval;
  /** Share of the people without a (proper) mask for whom an episode opens; not found is not told. */
  readonly detectionRate: { readonly value: number } & Interval;
  readonly detectionRateByLabel: Readonly<Partial<Record<MaskLabel, number>>>;
}

export interface AlarmBudget {
  readonly rules: AlarmRules;
  /** Simulated people; each of them is one labelled face that the detector found. */
  readonly people: { readonly masked: number; readonly violating: number; readonly repeats: number };
  readonly assumptions: readonly string[];
  readonly table: readonly AlarmRow[];
  /** Lowest threshold of the table that keeps to the budget, at the estimate and at its interval's upper end. */
  readonly recommended: {
    readonly budgetPerDay: number;
    readonly openThreshold: number | null;
    readonly openThresholdSure: number | null;
    /** The smallest upper end that a set of this size can show: no alarm at all among its masked people. */
    readonly provablePerCameraDay: number;
  };
}

export const ALARM_THRESHOLDS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98] as const;
const REPEATS = 2;

const ASSUMPTIONS = [
  'Each person is one labelled face of the evaluated set that the detector found; faces of one picture are resampled together.',
  'A crop of a person is judged as that labelled crop with probability cropLikeness, else as that of another face of the same label, drawn at random each time.',
  'Crops are chosen, weighed and added up by the service’s own code (CropSelector, DecisionMaker) at the given rate and time in view.',
  'Everybody on the footage wears a mask; boxes on things that are no faces, lost and exchanged tracks are not in it.',
  'The faces of the set stand for those of the camera; a camera with smaller, darker or more turned faces has other rates.',
] as const;

/**
 * Expected alarms per camera and day at several thresholds, from how the labelled faces were judged. Null when no
 * masked face was found.
 */
export function alarmBudget(faces: readonly FaceRecord[], rules: AlarmRules): AlarmBudget | null {
  const found = faces.filter(({ isFound, quality }) => isFound && quality !== null);
  const masked = found.filter(({ label }) => label === 'with_mask');
  const violating = found.filter(({ label }) => label !== 'with_mask');
  if (masked.length === 0) return null;
  const perDay = rules.tracksPerHour * 24;
  const simulate = (people: readonly FaceRecord[], cropLikeness: number) =>
    simulatePeople(people, { ...rules, cropLikeness }, cropLikeness === 1 ? 1 : REPEATS);
  const [usual, worst] = [simulate(masked, rules.cropLikeness), simulate(masked, 1)];
  const seen = simulate(violating, rules.cropLikeness);
  const table = ALARM_THRESHOLDS.map((openThreshold, at): AlarmRow => {
    const usualRate = usual.rate(at);
    return {
      openThreshold,
      falseAlarmRate: usualRate.value,
      falseAlarmsPerCameraDay: scaled(usualRate, perDay),
      worstCasePerCameraDay: scaled(worst.rate(at), perDay),
      detectionRate: seen.rate(at),
      detectionRateByLabel: seen.byLabel(at),
    };
  });
  const lowest = (of: (row: AlarmRow) => number) =>
    table.find((row) => of(row) <= rules.budgetPerDay)?.openThreshold ?? null;
  return {
    rules,
    people: { masked: masked.length, violating: violating.length, repeats: REPEATS },
    assumptions: ASSUMPTIONS,
    table,
    recommended: {
      budgetPerDay: rules.budgetPerDay,
      openThreshold: lowest(({ falseAlarmsPerCameraDay }) => falseAlarmsPerCameraDay.value),
      openThresholdSure: lowest(({ falseAlarmsPerCameraDay }) => falseAlarmsPerCameraDay.high),
      provablePerCameraDay: wilsonInterval(0, masked.length).high * perDay,
    },
  };
}

interface Simulated {
  /** Share of the people with an episode at a threshold, by its place in the list. */
  rate(at: number): { value: number } & Interval;
  byLabel(at: number): Partial<Record<MaskLabel, number>>;
}

function simulatePeople(people: readonly FaceRecord[], rules: AlarmRules, repeats: number): Simulated {
  const byLabel = groupBy(people, ({ label }) => label);
  const random = seededRandom(`maskwatch-alarms-${rules.cropLikeness}`);
  const outcomes = people.map((person) => {
    const alike = byLabel.get(person.label)!;
    const counts = new Float64Array(ALARM_THRESHOLDS.length);
    for (let i = 0; i < repeats; i++) {
      const look = () =>
        lookOf(random.chance(rules.cropLikeness) ? person : alike[random.index(alike.length)]!);
      simulateTrack(look, ALARM_THRESHOLDS, rules).forEach((opened, at) => {
        if (opened !== null) counts[at]!++;
      });
    }
    return { person, counts };
  });
  // Per picture: people, then episodes at each threshold.
  const tallies = [...groupBy(outcomes, ({ person }) => person.picture).values()].map((group) => {
    const tally = new Float64Array(1 + ALARM_THRESHOLDS.length);
    for (const { counts } of group) {
      tally[0]! += repeats;
      counts.forEach((count, at) => {
        tally[1 + at]! += count;
      });
    }
    return tally;
  });
  const intervals = bootstrapIntervals(tallies, (sum) =>
    [...sum.subarray(1)].map((count) => count / sum[0]!),
  );
  const share = (of: typeof outcomes, at: number) =>
    of.reduce((sum, { counts }) => sum + counts[at]!, 0) / Math.max(1, of.length * repeats);
  return {
    rate: (at) => {
      const value = share(outcomes, at);
      const { low, high } = intervals[at] ?? { low: 0, high: 1 };
      // Where nothing happened, resampling finds nothing either: then the bound is that of so many people.
      return { value, low, high: Math.max(high, value === 0 ? wilsonInterval(0, people.length).high : 0) };
    },
    byLabel: (at) =>
      Object.fromEntries(
        [...byLabel.keys()].map((label) => [
          label,
          share(
            outcomes.filter(({ person }) => person.label === label),
            at,
          ),
        ]),
      ),
  };
}

/** `low_certainty` is a rule for single crops: the service adds such crops up. */
function lookOf({ scores, faceScore, quality, reason }: FaceRecord): Look {
  return { scores, faceScore, quality: quality ?? 0, reason: reason === 'low_certainty' ? null : reason };
}

function scaled(rate: { value: number } & Interval, by: number): { value: number } & Interval {
  return { value: rate.value * by, low: rate.low * by, high: rate.high * by };
}
