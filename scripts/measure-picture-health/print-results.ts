import type { CameraCondition } from '../../src/domain/camera.js';
import type { MadeClip } from './made-footage.js';
import type { ToldCondition, WatchedClip } from './watch-clip.js';

export interface UntouchedResult extends WatchedClip {
  readonly clip: string;
}
export interface FaultResult extends WatchedClip {
  readonly clip: string;
  readonly fault: string;
  readonly expects: CameraCondition | null;
  readonly times: MadeClip;
}

const line = (...cells: readonly (string | number)[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);

export function printResults(faults: readonly FaultResult[], untouched: readonly UntouchedResult[]): void {
  line(
    'made fault',
    'expected',
    'told',
    'seconds until told',
    'seconds until gone',
    'other things told (clips)',
  );
  line(...Array.from({ length: 6 }, () => '---'));
  for (const name of new Set(faults.map(({ fault }) => fault)))
    printFault(
      name,
      faults.filter(({ fault }) => fault === name),
    );
  process.stdout.write('\n');
  line('untouched clip', 'pictures', 'told');
  line('---', '---', '---');
  for (const { clip, frames, told } of untouched)
    line(clip, frames, told.length === 0 ? 'nothing' : told.map(tellWhen).join(', '));
  const all = [...faults, ...untouched];
  const mean = (pick: (clip: WatchedClip) => number) =>
    (all.reduce((sum, clip) => sum + pick(clip), 0) / Math.max(1, all.length)).toFixed(3);
  process.stdout.write(
    `\nstatistics ${mean(({ statisticsMs }) => statisticsMs)} ms a picture, judging them ${mean(({ judgeMs }) => judgeMs)} ms\n`,
  );
}

function printFault(name: string, clips: readonly FaultResult[]): void {
  const expects = clips[0]?.expects ?? null;
  const hits = clips.flatMap(({ told, times }) => {
    const hit = told.find((entry) => isHit(entry, expects, times));
    return hit ? [{ hit, times }] : [];
  });
  const others = clips.flatMap(({ clip, told, times }) => {
    const wrong = told.filter((entry) => !isHit(entry, expects, times));
    return wrong.length === 0 ? [] : [`${clip}: ${wrong.map(tellWhen).join(', ')}`];
  });
  const missed = clips.filter(({ told, times }) => !told.some((entry) => isHit(entry, expects, times)));
  line(
    name,
    expects ?? 'nothing',
    expects === null
      ? '–'
      : `${hits.length} of ${clips.length}${missed.length > 0 && hits.length > 0 ? ` (not ${missed.map(({ clip }) => clip).join(', ')})` : ''}`,
    range(hits.map(({ hit, times }) => hit.fromSeconds - times.beforeSeconds)),
    range(
      hits.flatMap(({ hit, times }) =>
        hit.toSeconds === null ? [] : [hit.toSeconds - times.beforeSeconds - times.faultSeconds],
      ),
    ),
    others.length === 0 ? 'nothing' : others.join('; '),
  );
}

/** Told while the fault lasted. */
function isHit(told: ToldCondition, expects: CameraCondition | null, times: MadeClip): boolean {
  const { beforeSeconds, faultSeconds } = times;
  return (
    told.condition === expects &&
    told.fromSeconds >= beforeSeconds &&
    told.fromSeconds <= beforeSeconds + faultSeconds
  );
}

function tellWhen({ condition, fromSeconds, toSeconds }: ToldCondition): string {
  return `${condition} ${fromSeconds.toFixed(0)}–${toSeconds === null ? 'end' : toSeconds.toFixed(0)} s`;
}

function range(seconds: readonly number[]): string {
  if (seconds.length === 0) return '–';
  const low = Math.min(...seconds).toFixed(1);
  const high = Math.max(...seconds).toFixed(1);
  return low === high ? low : `${low} to ${high}`;
}
