import type { LoginRegisterOptions } from './ingest/login-register.js';
import type { PictureHealthOptions } from './ingest/picture-health.js';

/*
 * Limits in time that follow from how often a camera is analysed, for the service and for `probe`. Whatever waits for
 * frames waits for so many at least: one that is missed, and what a stream shakes. Else no face of a camera that is
 * analysed once a second would ever be seen twice, and one analysed every ten seconds would count as stalled.
 */

const MIN_GAP_FRAMES = 2.5;
const MIN_TENTATIVE_GAP_MS = 500;
/** Cameras send keyframes up to ten seconds apart. */
const MIN_KEYFRAMES_STALL_MS = 25_000;
/** With keyframes only, the same picture comes again and again until the next one, ms. */
const MIN_KEYFRAMES_FROZEN_MS = 30_000;

/** The shortest time without a frame that means anything, ms. */
export function minGapMs(rateFps: number): number {
  return (MIN_GAP_FRAMES * 1000) / rateFps;
}

/** Without a frame for this long a stream has stalled, ms. */
export function stallLimitMs(
  rateFps: number,
  { stallTimeoutSeconds, keyframesOnly }: { stallTimeoutSeconds: number; keyframesOnly: boolean },
): number {
  return Math.max(stallTimeoutSeconds * 1000, minGapMs(rateFps), keyframesOnly ? MIN_KEYFRAMES_STALL_MS : 0);
}

/** For how long a track outlives its face, ms. */
export function trackGaps(
  rateFps: number,
  { maxLostSeconds }: { maxLostSeconds: number },
): { maxLostMs: number; maxTentativeGapMs: number } {
  const gapMs = minGapMs(rateFps);
  return {
    maxLostMs: Math.max(maxLostSeconds * 1000, gapMs),
    maxTentativeGapMs: Math.max(MIN_TENTATIVE_GAP_MS, gapMs),
  };
}

/** How long nobody tries a user and a password that were refused, for a LoginRegister. */
export function loginLimits(ingest: {
  readonly backoffMinSeconds: number;
  readonly backoffMaxSeconds: number;
  readonly deniedRetryMaxSeconds: number;
}): Pick<LoginRegisterOptions, 'limits' | 'deniedMaxMs'> {
  return {
    limits: { minMs: ingest.backoffMinSeconds * 1000, maxMs: ingest.backoffMaxSeconds * 1000 },
    deniedMaxMs: ingest.deniedRetryMaxSeconds * 1000,
  };
}

/** `ingest.pictureHealth` of the configuration. */
export interface PictureHealthSettings {
  readonly frozenSeconds: number;
  readonly blindSeconds: number;
  readonly sceneSeconds: number;
  readonly movedAcceptMinutes: number;
  readonly clockSkewSeconds: number;
}

/** How long something must be wrong with a camera's pictures until it is told. */
export function pictureHealthLimits(
  settings: PictureHealthSettings,
  { rateFps, keyframesOnly }: { rateFps: number; keyframesOnly: boolean },
): PictureHealthOptions {
  return {
    frozenMs: Math.max(settings.frozenSeconds * 1000, keyframesOnly ? MIN_KEYFRAMES_FROZEN_MS : 0),
    blindMs: settings.blindSeconds * 1000,
    sceneMs: settings.sceneSeconds * 1000,
    acceptMs: settings.movedAcceptMinutes * 60_000,
    clockSkewMs: settings.clockSkewSeconds * 1000,
    periodMs: 1000 / rateFps,
  };
}
