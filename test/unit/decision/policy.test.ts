import { describe, expect, it } from 'vitest';
import { isInPolygon, isScheduled, matchZone, type PolicyPeriod } from '../../../src/decision/policy.js';

const ALL_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const at = (iso: string) => Date.parse(iso);
const scheduled = (iso: string, schedule: PolicyPeriod[], timeZone = 'Europe/Berlin') =>
  isScheduled({ schedule, timeZone }, at(iso));

describe('isScheduled', () => {
  it('is always true without a schedule', () => {
    expect(scheduled('2026-01-05T03:00:00Z', [])).toBe(true);
  });

  it('counts from `from` up to, not including, `to`, in local time', () => {
    const office: PolicyPeriod[] = [{ days: ['mon', 'tue'], from: '08:00', to: '17:30' }];
    // Monday 5 January 2026; Berlin is one hour ahead of UTC.
    expect(scheduled('2026-01-05T06:59:59Z', office)).toBe(false);
    expect(scheduled('2026-01-05T07:00:00Z', office)).toBe(true);
    expect(scheduled('2026-01-05T16:29:59Z', office)).toBe(true);
    expect(scheduled('2026-01-05T16:30:00Z', office)).toBe(false);
    expect(scheduled('2026-01-07T12:00:00Z', office)).toBe(false);
  });

  it('lets a period run past midnight and belong to the day on which it began', () => {
    const night: PolicyPeriod[] = [{ days: ['fri'], from: '22:00', to: '06:00' }];
    expect(scheduled('2026-01-09T20:59:00Z', night)).toBe(false);
    expect(scheduled('2026-01-09T21:00:00Z', night)).toBe(true);
    expect(scheduled('2026-01-10T04:59:00Z', night)).toBe(true);
    expect(scheduled('2026-01-10T05:00:00Z', night)).toBe(false);
    // Friday's early morning belongs to Thursday.
    expect(scheduled('2026-01-09T02:00:00Z', night)).toBe(false);
  });

  it('knows Sunday night into Monday', () => {
    const night: PolicyPeriod[] = [{ days: ['sun'], from: '22:00', to: '06:00' }];
    expect(scheduled('2026-01-12T01:00:00Z', night)).toBe(true);
  });

  it('takes 24:00 as the end of the day, and equal times as a whole day', () => {
    expect(scheduled('2026-01-05T22:59:00Z', [{ days: ['mon'], from: '00:00', to: '24:00' }])).toBe(true);
    expect(scheduled('2026-01-05T23:00:00Z', [{ days: ['mon'], from: '00:00', to: '24:00' }])).toBe(false);
    expect(scheduled('2026-01-06T06:00:00Z', [{ days: ['mon'], from: '08:00', to: '08:00' }])).toBe(true);
    expect(scheduled('2026-01-06T07:00:00Z', [{ days: ['mon'], from: '08:00', to: '08:00' }])).toBe(false);
  });

  it('follows the local clock over the change to summer time', () => {
    const morning: PolicyPeriod[] = [{ days: [...ALL_DAYS], from: '08:00', to: '09:00' }];
    expect(scheduled('2026-03-28T07:30:00Z', morning)).toBe(true);
    expect(scheduled('2026-03-29T06:30:00Z', morning)).toBe(true);
    expect(scheduled('2026-03-29T07:30:00Z', morning)).toBe(false);
  });

  it('takes the day of the zone, not of UTC', () => {
    const monday: PolicyPeriod[] = [{ days: ['mon'], from: '00:00', to: '24:00' }];
    expect(scheduled('2026-01-04T12:30:00Z', monday, 'Pacific/Auckland')).toBe(true);
    expect(scheduled('2026-01-04T12:30:00Z', monday, 'UTC')).toBe(false);
  });
});

describe('zones', () => {
  const left = [
    [0, 0],
    [0.5, 0],
    [0.5, 1],
    [0, 1],
  ] as const;
  const middle = [
    [0.4, 0],
    [0.6, 0],
    [0.6, 1],
    [0.4, 1],
  ] as const;

  it('knows the inside of a polygon with a dent', () => {
    const dented = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0.5, 0.2],
      [0, 1],
    ] as const;
    expect(isInPolygon(dented, { x: 0.5, y: 0.1 })).toBe(true);
    expect(isInPolygon(dented, { x: 0.5, y: 0.5 })).toBe(false);
    expect(isInPolygon(dented, { x: 0.1, y: 0.5 })).toBe(true);
    expect(isInPolygon(dented, { x: 1.1, y: 0.5 })).toBe(false);
  });

  it('covers the whole frame, unnamed, without zones', () => {
    expect(matchZone([], { x: 0.9, y: 0.9 })).toEqual({ isCovered: true, zone: null });
  });

  it('covers only the zones where there are any, and names the first', () => {
    const zones = [
      { id: 'left', polygon: left, isExempt: false },
      { id: 'middle', polygon: middle, isExempt: false },
    ];
    expect(matchZone(zones, { x: 0.45, y: 0.5 })).toEqual({ isCovered: true, zone: 'left' });
    expect(matchZone(zones, { x: 0.55, y: 0.5 })).toEqual({ isCovered: true, zone: 'middle' });
    expect(matchZone(zones, { x: 0.9, y: 0.5 })).toEqual({ isCovered: false });
  });

  it('lets an exempt zone win, in any order, and covers the rest when all are exempt', () => {
    const zones = [
      { id: 'left', polygon: left, isExempt: false },
      { id: 'middle', polygon: middle, isExempt: true },
    ];
    for (const order of [zones, [...zones].reverse()])
      expect(matchZone(order, { x: 0.45, y: 0.5 })).toEqual({ isCovered: false });
    expect(matchZone([zones[1]!], { x: 0.9, y: 0.5 })).toEqual({ isCovered: true, zone: null });
  });
});
