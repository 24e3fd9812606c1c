import type { NotAssessableReason } from '../domain/label.js';
import type { FaceSummary } from './face-readings.js';
import type { PlacementFacts, PlacementPart, PlacementParts } from './placement.js';

/** Shorter side from which on more pixels gain nothing, pixels of the analysed picture (see placement.ts). */
export const AMPLE_FACE_PX = 32;
/** A part below this costs more than what differs from one visit to the next. */
const WORTH_SAYING = 0.8;
/** A background so much brighter than the faces before it is light from behind. */
const BACKLIGHT_LUMA = 40;
const DARK_PICTURE_LUMA = 40;
/** As many faces are needed before the figures are worth much. */
const FEW_FACES = 3;
/** Usual widths, for advice that can be typed in. */
const WIDTHS_PX = [960, 1280, 1600, 1920, 2560, 3200, 3840];
/** An enlargement below this is no advice. */
const MIN_GAIN = 1.2;

/** What to do about a placement, in plain words, what costs most first. `parts` is `null` where nobody was seen. */
export function adviceOf(facts: PlacementFacts, parts: PlacementParts | null): readonly string[] {
  const { faces } = facts;
  if (!faces || !parts) return [...darkness(facts), nobody(facts.watchedMs)];
  const words: Record<PlacementPart, () => string> = {
    size: () => sizeAdvice(facts, faces),
    angle: () => angleAdvice(faces),
    light: () => lightAdvice(facts, faces),
    sharpness: () => sharpnessAdvice(faces),
    assessable: () => assessableAdvice(faces),
  };
  const weak = (Object.keys(words) as PlacementPart[]).filter((part) => parts[part] < WORTH_SAYING);
  const advice = weak.sort((a, b) => parts[a] - parts[b]).map((part) => words[part]());
  if (advice.length === 0) advice.push(`Nothing to improve: faces are ${describe(faces)}.`);
  if (faces.count < FEW_FACES)
    advice.push(
      `This rests on ${faces.count === 1 ? 'one face' : `${faces.count} faces`}: let more people pass for figures to rely on.`,
    );
  return advice;
}

function nobody(watchedMs: number): string {
  return `Nobody was seen in ${Math.round(watchedMs / 1000)} s: have somebody stand where people pass, looking towards the camera, and run this again.`;
}

function darkness({ pictureLuma }: PlacementFacts): string[] {
  if (pictureLuma === null || pictureLuma >= DARK_PICTURE_LUMA) return [];
  return [
    `The whole picture is dark (${Math.round(pictureLuma)} of 255): switch on the light, or the camera's night mode, and see whether something covers the lens.`,
  ];
}

function describe({ analysedPx, yawDegrees }: FaceSummary): string {
  return `${Math.round(analysedPx.median)} px across in the analysed picture, turned by about ${Math.round(yawDegrees)}°, sharp and well lit`;
}

function sizeAdvice(facts: PlacementFacts, { analysedPx }: FaceSummary): string {
  const { source, analysed, limits, isSubStream } = facts;
  const sidePx = analysedPx.median;
  const gain = AMPLE_FACE_PX / sidePx;
  const ways = ['move the camera closer', 'zoom in'];
  // More of the picture than the camera sends cannot be analysed.
  const wantedPx = analysed.width * gain;
  const widthPx = Math.min(source.width, WIDTHS_PX.find((width) => width >= wantedPx) ?? source.width);
  if (widthPx >= MIN_GAIN * analysed.width) {
    const heightPx = 2 * Math.round((widthPx * source.height) / source.width / 2);
    ways.push(
      `raise analysis.widthPx to ${2 * Math.floor(widthPx / 2)} and heightPx to ${heightPx}, and detection.widthPx and heightPx with them (the camera sends ${source.width}x${source.height})`,
    );
  } else if (isSubStream) ways.push('analyse the main stream (leave subUrl out)');
  else if (source.width < analysed.width)
    ways.push(`have the camera send a larger picture than ${source.width}x${source.height}`);
  const needed =
    sidePx < limits.minFacePx
      ? `below ${limits.minFacePx} px (classification.minFacePx) nobody is judged, and ${AMPLE_FACE_PX} or more are needed`
      : `${AMPLE_FACE_PX} or more are needed`;
  return `Faces are ${Math.round(sidePx)} px across in the analysed picture; ${needed}: ${ways.slice(0, -1).join(', ')} or ${ways.at(-1)}.`;
}

function angleAdvice({ yawDegrees, pitchDegrees }: FaceSummary): string {
  const advice: string[] = [];
  if (yawDegrees > 25)
    advice.push(
      `Faces are turned about ${Math.round(yawDegrees)}° to the side: hang the camera where people look or walk towards it.`,
    );
  if (Math.abs(pitchDegrees) > 25) {
    const angle = Math.round(Math.abs(pitchDegrees));
    advice.push(
      pitchDegrees > 0
        ? `Faces are seen from about ${angle}° above: hang the camera lower or farther away, so that it looks people in the face.`
        : `Faces are seen from about ${angle}° below: hang the camera higher.`,
    );
  }
  // Between the two limits, where neither alone is worth a sentence.
  return (
    advice.join(' ') || 'Faces are not seen from the front: hang the camera where people look towards it.'
  );
}

function lightAdvice({ pictureLuma }: PlacementFacts, { luma, lumaSpread }: FaceSummary): string {
  const bright = Math.round(luma);
  if (luma > 200)
    return `Faces are overexposed (${bright} of 255): lower the camera's exposure, or keep lamp and sun off them.`;
  if (luma < 90 && pictureLuma !== null && pictureLuma - luma >= BACKLIGHT_LUMA)
    return `Faces are dark (${bright} of 255) before a bright background (${Math.round(pictureLuma)}): switch on the camera's backlight compensation (WDR), put light on people's faces, or turn the camera away from the window.`;
  if (luma < 90)
    return `Faces are dark (${bright} of 255; 90 or more are better): put light where people stand, or raise the camera's exposure.`;
  return `Faces show hardly any contrast (${Math.round(lumaSpread)}; 18 or more are usual): clean the lens, and look for glare, fog or a lamp that shines into it.`;
}

function sharpnessAdvice({ sharpness, analysedPx }: FaceSummary): string {
  const why = analysedPx.median < AMPLE_FACE_PX ? ' (small faces always are a little)' : '';
  return `Faces are blurred${why}, sharpness ${Math.round(sharpness)} where 400 is good: focus and clean the lens, shorten the exposure time, or raise the stream's bit rate.`;
}

const REASON_WORDS: Record<NotAssessableReason, string> = {
  too_small: 'too small',
  blurred: 'blurred',
  turned_away: 'turned away',
  cut_off: 'cut off by the edge of the picture',
  low_certainty: 'not told for certain',
};

function assessableAdvice({ assessableShare, notAssessable, sightings }: FaceSummary): string {
  const reasons = (Object.entries(notAssessable) as [NotAssessableReason, number][])
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${percent(count / sightings)} were ${REASON_WORDS[reason]}`);
  const aim =
    (notAssessable.cut_off ?? 0) > 0 ? ' Aim the camera so that faces stay inside the picture.' : '';
  return `Only ${percent(assessableShare)} of what was seen of faces could be judged: ${reasons.join(', ')}.${aim}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
