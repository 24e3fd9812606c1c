import type { ClipResult, PersonResult } from '../../src/training/clips/judge-clip.js';

export interface MeasuredClip extends ClipResult {
  readonly file: string;
  /** Analysed. */
  readonly frames: number;
}

export interface ClipTotals {
  readonly persons: number;
  readonly right: number;
  readonly wrong: number;
  readonly undecided: number;
  /** Right now, but wrong by most frames, or the other way round. */
  readonly wavering: number;
  readonly strays: number;
  readonly strayViolations: number;
}

export function totals(clips: readonly ClipResult[]): ClipTotals {
  const persons = clips.flatMap((clip) => clip.persons);
  const strays = clips.flatMap((clip) => clip.strays);
  const count = (verdict: PersonResult['verdict']) =>
    persons.filter((person) => person.verdict === verdict).length;
  return {
    persons: persons.length,
    ...{ right: count('right'), wrong: count('wrong'), undecided: count('undecided') },
    wavering: persons.filter(({ isWavering }) => isWavering).length,
    strays: strays.length,
    strayViolations: strays.filter(({ isViolation }) => isViolation).length,
  };
}

/** For people: a line per clip, and one for everything that is not as it should be. */
export function printClips(
  clips: readonly MeasuredClip[],
  { model, detector }: { readonly model: string; readonly detector: string },
): void {
  const print = (text: string) => process.stdout.write(`${text}\n`);
  const inWords = (of: ClipTotals) =>
    `${of.right} of ${of.persons} persons right, ${of.wrong} wrong, ${of.undecided} undecided, ${of.wavering} wavering; off any person ${of.strays} tracks told a label, ${of.strayViolations} of them a violation`;
  print(`${model} with ${detector}: ${inWords(totals(clips))}`);
  for (const clip of clips) {
    print(`${clip.file} (${clip.frames} frames): ${inWords(totals([clip]))}`);
    for (const { id, label, decision, verdict, frames, tracks, isWavering } of clip.persons)
      if (verdict !== 'right' || isWavering)
        print(
          `  ${isWavering ? `${verdict}, wavering` : verdict}: ${id} is ${label}, told ${decision ?? 'nothing'} (${counts(frames.told)}; found in ${frames.found} of ${frames.inView} frames, tracks ${tracks.join(' ') || 'none'})`,
        );
    for (const { trackId, fromMs, toMs, told, box } of clip.strays)
      print(
        `  nobody there: track ${trackId}, ${(fromMs / 1000).toFixed(1)}–${(toMs / 1000).toFixed(1)} s, ${counts(told)}, at ${Math.round(box.x)},${Math.round(box.y)} ${Math.round(box.width)}×${Math.round(box.height)}`,
      );
  }
}

function counts(told: PersonResult['frames']['told']): string {
  return (
    Object.entries(told)
      .map(([label, frames]) => `${label} ${frames}`)
      .join(', ') || 'no label'
  );
}
