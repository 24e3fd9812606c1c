import { streamKind } from '../ingest/ffmpeg-arguments.js';
import { tenth } from '../lib/rounding.js';
import type { ProbeFindings } from './probe-findings.js';

/** A keyframe is due by then: until it comes a viewer sees nothing, and what a lost packet spoiled stays spoiled, ms. */
const LONG_KEYFRAMES_MS = 4000;
/** A stream that comes so much slower than it says has lost pictures on its way. */
const SHORTFALL = 0.8;
/** A picture in so many is damaged: no accident of joining any more. */
const DAMAGED_SHARE = 0.02;
/** Joining in the middle costs some pictures that could not be decoded. */
const JOIN_DAMAGE = 5;
const SLOW_START_MS = 5000;
/** A stream begins with what came since its last keyframe, all at once. */
const START_BURST = 5;

/** What is unusual about a stream that works, in plain words. */
export function streamWarnings({ target, stream, pictures, packets, end }: ProbeFindings): string[] {
  const warnings: string[] = [];
  const info = stream?.info;
  if (!stream || !info) return warnings;
  if (info.fallback) warnings.push(`The stream is decoded otherwise than asked for: ${info.fallback}.`);
  // What ended for good is told as the error.
  if (stream.end && !end)
    warnings.push(`The stream ended after ${tenth(stream.watchedMs / 1000)} s: ${stream.end.message}.`);
  if (stream.plan.timestamps === 'arrival')
    warnings.push('The time stamps of the stream stand still; those of arrival were taken.');
  if (stream.firstFrameMs !== null && stream.firstFrameMs > SLOW_START_MS)
    warnings.push(
      `The first picture took ${tenth(stream.firstFrameMs / 1000)} s: after every break this camera is blind for as long.`,
    );
  if (packets) {
    const { keyframeIntervalMs, rateFps, spanMs } = packets;
    const isFile = streamKind(target.url) === 'file';
    if (packets.packetCount === 0)
      warnings.push(
        'A second connection brought nothing: the rate and the keyframe interval could not be measured (does the camera serve one viewer only?).',
      );
    else if (!isFile && keyframeIntervalMs === null && spanMs >= LONG_KEYFRAMES_MS)
      warnings.push(
        `There were fewer than two keyframes in ${Math.round(spanMs / 1000)} s; set the camera's keyframe (I-frame) interval to one or two seconds.`,
      );
    else if (!isFile && keyframeIntervalMs !== null && keyframeIntervalMs > LONG_KEYFRAMES_MS)
      warnings.push(
        `Keyframes are ${tenth(keyframeIntervalMs / 1000)} s apart: so long a start takes, and so long a lost packet spoils the picture. Set the camera's keyframe (I-frame) interval to one or two seconds.`,
      );
    if (rateFps !== null && info.rateFps !== null && rateFps < SHORTFALL * info.rateFps)
      warnings.push(
        `The stream says ${tenth(info.rateFps)} pictures a second and brings ${tenth(rateFps)}: look at the network and at the camera's load.`,
      );
    if (rateFps !== null && rateFps < target.analysis.rateFps)
      warnings.push(
        `The camera sends ${tenth(rateFps)} pictures a second, fewer than are to be analysed (${target.analysis.rateFps}): raise its frame rate.`,
      );
  }
  const due = (stream.watchedMs / 1000) * (packets?.rateFps ?? info.rateFps ?? target.analysis.rateFps);
  if (stream.damagedCount > JOIN_DAMAGE && stream.damagedCount > DAMAGED_SHARE * due)
    warnings.push(
      `${stream.damagedCount} pictures were damaged on their way: look at cable, switch and Wi-Fi${stream.plan.transport === 'udp' ? ', or use TCP' : ''}.`,
    );
  if (pictures && pictures.droppedCount > START_BURST + pictures.analysedCount / 10)
    warnings.push(
      `This machine had no time for ${pictures.droppedCount} of ${pictures.droppedCount + pictures.analysedCount} pictures.`,
    );
  return warnings;
}
