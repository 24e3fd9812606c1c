import { z } from 'zod';
import { analysisSchema, cameraSchema } from './camera-schema.js';
import { policySchema } from './policy-schema.js';
import {
  classificationSchema,
  detectionSchema,
  inferenceSchema,
  ingestSchema,
  loggingSchema,
  serverSchema,
  storeSchema,
  trackingSchema,
} from './section-schemas.js';
import type { secretSchema } from './values.js';

/*
 * The one source of every configuration key: types, defaults, documentation and the JSON Schema in
 * config/maskwatch.schema.json all come from here. Lengths are pixels of the source frame, times are ms or
 * seconds as the name says. Objects are strict: an unknown key is an error.
 */

export const configSchema = z.strictObject({
  cameras: z.array(cameraSchema).max(256).default([]).describe('The cameras to watch.'),
  analysis: analysisSchema.prefault({}).describe('How pictures are analysed, for all cameras.'),
  policy: policySchema.prefault({}).describe('What counts as a violation, for all cameras.'),
  ingest: ingestSchema.prefault({}).describe('How streams are read and watched.'),
  detection: detectionSchema.prefault({}).describe('Finding faces.'),
  tracking: trackingSchema.prefault({}).describe('Following faces.'),
  classification: classificationSchema.prefault({}).describe('Judging faces.'),
  inference: inferenceSchema.prefault({}).describe('Running the models.'),
  server: serverSchema.prefault({}).describe('Page, Socket.IO and metrics.'),
  store: storeSchema.prefault({}).describe('Where episodes are kept.'),
  logging: loggingSchema.prefault({}).describe('Logs go to stderr.'),
});

export type Config = z.output<typeof configSchema>;
export type CameraConfig = z.output<typeof cameraSchema>;
export type PolicyConfig = z.output<typeof policySchema>;
export type AnalysisConfig = z.output<typeof analysisSchema>;
export type Secret = z.output<typeof secretSchema>;
