import type { CameraPayload, EpisodePayload, FacePayload } from '../../src/publish/events';

/** Every word and colour for an outcome, in one place; colours are told apart by shape and text as well. */
export const OUTCOME_WORDS: Record<FacePayload['outcome'], string> = {
  with_mask: 'Mask',
  without_mask: 'No mask',
  mask_worn_incorrectly: 'Worn wrong',
  not_assessable: 'Not assessable',
};

/** Also used by tests to find boxes on the canvas. */
export const OUTCOME_COLOURS: Record<FacePayload['outcome'], string> = {
  with_mask: '#35c07a',
  without_mask: '#ff4d4f',
  mask_worn_incorrectly: '#ffb020',
  not_assessable: '#9aa7b4',
};

const REASON_WORDS: Record<NonNullable<FacePayload['reason']>, string> = {
  too_small: 'too small',
  blurred: 'blurred',
  turned_away: 'turned away',
  cut_off: 'cut off',
  low_certainty: 'deciding',
};

export const STATE_WORDS: Record<CameraPayload['state'], string> = {
  connecting: 'Connecting',
  live: 'Live',
  stalled: 'Stalled',
  backing_off: 'Offline, retrying',
  disabled: 'Disabled',
};

/** What is wrong with a picture; a time follows. */
export const CONDITION_WORDS: Record<CameraPayload['conditions'][number]['condition'], string> = {
  frozen: 'Picture frozen',
  black: 'Picture black',
  overexposed: 'Picture far too bright',
  covered: 'Lens covered',
  corrupted: 'Picture broken, data lost',
  out_of_focus: 'Picture out of focus',
  moved: 'Camera moved',
  wrong_clock: 'The camera’s clock is wrong',
};

export const VIOLATION_WORDS: Record<EpisodePayload['label'], string> = {
  without_mask: 'No mask',
  mask_worn_incorrectly: 'Mask worn incorrectly',
};

export const CLOSE_WORDS: Record<NonNullable<EpisodePayload['closeReason']>, string> = {
  complied: 'mask put on',
  left: 'left the picture',
  policy_ended: 'policy ended',
  not_a_face: 'was no face',
  camera_lost: 'camera lost',
  shutdown: 'service stopped',
};

export function faceWords(face: FacePayload): string {
  const word = OUTCOME_WORDS[face.outcome];
  if (face.outcome === 'not_assessable') return face.reason ? REASON_WORDS[face.reason] : word;
  return `${word} ${Math.round(face.scores[face.outcome] * 100)}%`;
}

/** After a number of people; the most urgent first. */
const COUNT_WORDS: Record<FacePayload['outcome'] | 'deciding', string> = {
  without_mask: 'without a mask',
  mask_worn_incorrectly: 'worn wrong',
  with_mask: 'with a mask',
  deciding: 'being judged',
  not_assessable: 'not assessable',
};

/** What a tile shows in words, for those who do not see the picture. */
export function facesInWords(faces: readonly FacePayload[]): string {
  const parts = Object.entries(COUNT_WORDS).flatMap(([outcome, words]) => {
    const count = faces.filter((face) => countedAs(face) === outcome).length;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  return parts.length === 0 ? 'no face found' : parts.join(', ');
}

function countedAs(face: FacePayload): keyof typeof COUNT_WORDS {
  return face.outcome === 'not_assessable' && face.reason === 'low_certainty' ? 'deciding' : face.outcome;
}

export function durationWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
export function clockWords(iso: string): string {
  return CLOCK.format(new Date(iso));
}

const MINUTE_CLOCK = new Intl.DateTimeFormat(undefined, {
  ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
});
const DAY_CLOCK = new Intl.DateTimeFormat(undefined, {
  ...{ weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
});
/** The time of day, with the day of the week for what is older than half a day. */
export function sinceWords(iso: string, nowMs: number): string {
  const atMs = Date.parse(iso);
  return (nowMs - atMs > 12 * 3_600_000 ? DAY_CLOCK : MINUTE_CLOCK).format(atMs);
}
