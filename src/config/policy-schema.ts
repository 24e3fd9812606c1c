import { z } from 'zod';
import { fraction, identifier } from './values.js';

const point = z.tuple([fraction, fraction]).describe('x and y as fractions of the frame, origin top left.');
const polygon = z.array(point).min(3).max(64);

const zoneSchema = z.strictObject({
  id: identifier.describe('Name of the zone in events and metrics.'),
  polygon: polygon.describe('Corners as fractions of the frame; the last is joined to the first.'),
  exempt: z
    .boolean()
    .default(false)
    .describe('true: the policy does not apply to faces here. Default false: it applies here.'),
});

const scheduleSchema = z.strictObject({
  days: z
    .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
    .min(1)
    .default(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])
    .describe('Days of the week on which it begins. Default: every day.'),
  from: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use HH:MM, 00:00 to 23:59')
    .describe('Local time, HH:MM.'),
  to: z
    .string()
    .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'use HH:MM, 00:00 to 24:00')
    .describe('Local time, HH:MM; before `from` means on the next day.'),
});

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

export const policySchema = z.strictObject({
  labels: z
    .array(z.enum(['without_mask', 'mask_worn_incorrectly']))
    .min(1)
    .default(['without_mask', 'mask_worn_incorrectly'])
    .describe('What breaks the policy. Default: both.'),
  openThreshold: fraction
    .default(0.8)
    .describe('Accumulated probability of a violation at which an episode may open, 0–1. Default 0.8.'),
  closeThreshold: fraction
    .default(0.4)
    .describe('Accumulated probability below which it may close, 0–1; below openThreshold. Default 0.4.'),
  minDurationSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(1)
    .describe('How long the probability must stay above openThreshold, seconds. Default 1.'),
  graceSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(2)
    .describe(
      'How long somebody may go without a mask before it counts, and how long an open episode outlives a dip or a hidden face, seconds. Default 2.',
    ),
  zones: z
    .array(zoneSchema)
    .max(32)
    .default([])
    .describe('Where the policy applies, and where not. Default: the whole frame.'),
  schedule: z.array(scheduleSchema).default([]).describe('When the policy applies. Default: always.'),
  timeZone: z
    .string()
    .refine(isTimeZone, 'use a name of the IANA time zone database, e.g. Europe/Berlin')
    .default('UTC')
    .describe('Time zone of the schedule (IANA name). Default UTC.'),
});
