import { BLINDING_CONDITIONS } from '../domain/camera.js';
import type { RunEnd } from '../ingest/frame-source.js';
import { redactSecrets } from '../ingest/redact.js';
import { fourDecimals, tenth } from '../lib/rounding.js';
import type { FaceSummary, Spread } from './face-readings.js';
import { type PlacementParts, ratePlacement } from './placement.js';
import { probeError } from './probe-error.js';
import { type ProbeFindings, transportOf } from './probe-findings.js';
import type { ProbeError, ProbeReport } from './probe-report.js';
import { streamWarnings } from './stream-warnings.js';

const NOTHING: ProbeReport['faces']['widthPx'] = { min: null, median: null, max: null };

/** Makes the report of what was found. Pure. */
export function composeReport(findings: ProbeFindings): ProbeReport {
  const { target, rules, stream, pictures, packets, end } = findings;
  const faces = pictures?.faces ?? null;
  const info = stream?.info ?? null;
  const hasPictures = stream !== null && stream.firstFrameMs !== null;
  const placement =
    info && pictures?.analysed
      ? ratePlacement({
          faces,
          pictureLuma: pictures.light?.luma ?? null,
          watchedMs: stream?.watchedMs ?? 0,
          source: info,
          analysed: pictures.analysed,
          limits: rules.classification,
          isSubStream: target.isSubStream,
        })
      : { score: null, parts: null, advice: [] };
  return {
    ok: end === null,
    ...(target.cameraId === undefined ? {} : { cameraId: target.cameraId }),
    url: redactSecrets(target.url),
    codec: info?.codec ?? null,
    width: info?.width ?? null,
    height: info?.height ?? null,
    rateFps: rounded(packets?.rateFps ?? info?.rateFps, tenth),
    declaredRateFps: rounded(info?.rateFps, tenth),
    bitrateKbps: rounded(packets?.bitrateKbps, Math.round),
    keyframeIntervalMs: rounded(packets?.keyframeIntervalMs, Math.round),
    jitterMs: rounded(findings.jitterMs, tenth),
    transport: hasPictures ? transportOf(target, stream.plan) : null,
    firstFrameMs: rounded(stream?.firstFrameMs, Math.round),
    watchedMs: Math.round(stream?.watchedMs ?? 0),
    frames: {
      analysed: pictures?.analysedCount ?? 0,
      dropped: pictures?.droppedCount ?? 0,
      damaged: stream?.damagedCount ?? 0,
    },
    analysed: pictures?.analysed ?? null,
    faces: {
      count: faces?.count ?? 0,
      sightings: faces?.sightings ?? 0,
      widthPx: faces ? roundedSpread(faces.widthPx) : NOTHING,
      analysedPx: faces ? roundedSpread(faces.analysedPx) : NOTHING,
      assessableShare: rounded(faces?.assessableShare, fourDecimals),
      notAssessable: faces?.notAssessable ?? {},
    },
    light: {
      pictureLuma: rounded(pictures?.light?.luma, tenth),
      pictureSpread: rounded(pictures?.light?.spread, tenth),
      faceLuma: rounded(faces?.luma, tenth),
      faceSpread: rounded(faces?.lumaSpread, tenth),
    },
    angle: angleOf(faces),
    sharpness: rounded(faces?.sharpness, Math.round),
    placement: {
      score: placement.score,
      parts: placement.parts && roundedParts(placement.parts),
      advice: placement.advice,
    },
    conditions: pictures?.conditions ?? [],
    warnings: [
      ...target.warnings,
      ...(pictures?.conditions ?? []).map((condition) =>
        BLINDING_CONDITIONS.has(condition)
          ? `The picture is ${condition.replaceAll('_', ' ')}: nobody can be judged on it.`
          : `The picture is ${condition.replaceAll('_', ' ')}.`,
      ),
      ...(hasPictures ? streamWarnings(findings) : []),
    ],
    attempts: (stream?.attempts ?? []).map(({ plan, end: { reason } }) => ({
      transport: transportOf(target, plan),
      reason,
    })),
    ...(end === null ? {} : { error: errorOf(findings, end) }),
  };
}

/** Where several ways were tried the first one's end says most: the others are tried for its sake. */
function errorOf({ target, stream }: ProbeFindings, end: RunEnd): ProbeError {
  const address = {
    url: target.url,
    hasPassword: target.password !== undefined,
    isAuto: target.transport === 'auto',
  };
  const ways = stream ? [...stream.attempts, { plan: stream.plan, end }] : [];
  const said = ways.map((way) => `${transportOf(target, way.plan)}: ${way.end.message}`);
  const message = ways.length < 2 ? end.message : [...new Set(said)].join('; ');
  // Whoever wrote the message has seen to it already; this is the last place before it is shown.
  return probeError(ways[0]?.end ?? end, address, redactSecrets(message, [target.password]));
}

function angleOf(faces: FaceSummary | null): ProbeReport['angle'] {
  return {
    yawDegrees: rounded(faces?.yawDegrees, Math.round),
    pitchDegrees: rounded(faces?.pitchDegrees, Math.round),
  };
}

function rounded(value: number | null | undefined, to: (value: number) => number): number | null {
  return value === null || value === undefined ? null : to(value);
}

function roundedSpread({ min, median, max }: Spread): Spread {
  return { min: tenth(min), median: tenth(median), max: tenth(max) };
}

function roundedParts(parts: PlacementParts): PlacementParts {
  const { size, angle, light, sharpness, assessable } = parts;
  const two = (part: number) => Math.round(100 * part) / 100;
  return {
    size: two(size),
    angle: two(angle),
    light: two(light),
    sharpness: two(sharpness),
    assessable: two(assessable),
  };
}
