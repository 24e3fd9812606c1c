import { type Box, iou } from '../../domain/box.js';
import { MASK_LABELS, type MaskLabel, type Outcome } from '../../domain/label.js';
import { matchBoxes } from '../dataset/match-boxes.js';
import { isMostlyInside } from '../dataset/regions.js';
import { type ClipTruth, faceOf, type TruePerson } from './clip-truth.js';

/** What the service says of a clip at one moment; lengths in pixels of the source frame. */
export interface ClipFrame {
  readonly timeMs: number;
  readonly faces: readonly { readonly box: Box; readonly outcome: Outcome; readonly trackId?: number }[];
}

/** What became of one person of the truth. */
export interface PersonResult {
  readonly id: string;
  readonly label: MaskLabel;
  /** The last label told of the person; null when none ever was. */
  readonly decision: MaskLabel | null;
  readonly verdict: 'right' | 'wrong' | 'undecided';
  /** Analysed frames in which the face is to be seen, in which it was found, and by the label told. */
  readonly frames: {
    readonly inView: number;
    readonly found: number;
    readonly told: Partial<Record<MaskLabel, number>>;
  };
  readonly tracks: readonly number[];
  /** The label of most frames is another than the last: the figure hangs on how a person is counted. */
  readonly isWavering: boolean;
}

/** A track that told a label where there is no person of the truth and nothing uncounted. */
export interface StrayDecision {
  readonly trackId: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Frames in which it told each label off any person. */
  readonly told: Partial<Record<MaskLabel, number>>;
  readonly isViolation: boolean;
  /** Where it first stood. */
  readonly box: Box;
}

export interface ClipResult {
  readonly persons: readonly PersonResult[];
  readonly strays: readonly StrayDecision[];
}

/** Paths are drawn by hand and people walk: less overlap than between still boxes is asked for. */
const SAME_FACE_IOU = 0.2;

/**
 * Holds what the service said of a clip against its truth. In each frame the faces found go to the persons in view, best
 * overlap first. A person's decision is the last label told of any track that covers it, as an operator would remember.
 * `violations`: the labels that the policy objects to.
 */
export function judgeClip(
  truth: Pick<ClipTruth, 'persons' | 'uncounted'>,
  frames: readonly ClipFrame[],
  violations: readonly MaskLabel[],
): ClipResult {
  const tallies = truth.persons.map((person) => new PersonTally(person));
  const strays = new Map<number, StrayTally>();
  for (const { timeMs, faces } of frames) {
    const inView = tallies.flatMap((tally) => {
      const box = faceOf(tally.person, timeMs);
      return box ? [{ tally, box }] : [];
    });
    const boxes = faces.map(({ box }) => box);
    const persons = inView.map(({ box }) => box);
    const matches = matchBoxes(persons, boxes, SAME_FACE_IOU);
    for (const [index, { tally }] of inView.entries()) tally.add(faces[matches[index] ?? -1] ?? null);
    const taken = new Set(matches);
    faces.forEach((face, index) => {
      if (taken.has(index) || face.outcome === 'not_assessable' || face.trackId === undefined) return;
      // A second box on one face is no false alarm about somebody else.
      const isOnPerson = persons.some(
        (person) => iou(face.box, person) >= SAME_FACE_IOU || isMostlyInside(face.box, person),
      );
      if (isOnPerson || isUncounted(truth, timeMs, face.box)) return;
      const stray = strays.get(face.trackId) ?? { first: face.box, fromMs: timeMs, toMs: timeMs, told: {} };
      stray.toMs = timeMs;
      stray.told[face.outcome] = (stray.told[face.outcome] ?? 0) + 1;
      strays.set(face.trackId, stray);
    });
  }
  return {
    persons: tallies.map((tally) => tally.result()),
    strays: [...strays].map(([trackId, { first, fromMs, toMs, told }]) => ({
      ...{ trackId, fromMs, toMs, told, box: first },
      isViolation: violations.some((label) => told[label] !== undefined),
    })),
  };
}

interface StrayTally {
  readonly first: Box;
  readonly fromMs: number;
  toMs: number;
  readonly told: Partial<Record<MaskLabel, number>>;
}

class PersonTally {
  readonly person: TruePerson;
  readonly #told: Partial<Record<MaskLabel, number>> = {};
  readonly #tracks = new Set<number>();
  #inView = 0;
  #found = 0;
  #last: MaskLabel | null = null;

  constructor(person: TruePerson) {
    this.person = person;
  }

  /** One more frame in view; null: not found in it. */
  add(face: ClipFrame['faces'][number] | null): void {
    this.#inView += 1;
    if (!face) return;
    this.#found += 1;
    if (face.trackId !== undefined) this.#tracks.add(face.trackId);
    if (face.outcome === 'not_assessable') return;
    this.#told[face.outcome] = (this.#told[face.outcome] ?? 0) + 1;
    this.#last = face.outcome;
  }

  result(): PersonResult {
    const { id, label, alsoRight = [] } = this.person;
    const isRight = (told: MaskLabel | null) => told !== null && (told === label || alsoRight.includes(told));
    return {
      ...{ id, label, decision: this.#last },
      verdict: this.#last === null ? 'undecided' : isRight(this.#last) ? 'right' : 'wrong',
      frames: { inView: this.#inView, found: this.#found, told: this.#told },
      tracks: [...this.#tracks],
      isWavering: isRight(this.#last) !== isRight(this.#most()),
    };
  }

  #most(): MaskLabel | null {
    const [most] = MASK_LABELS.filter((label) => this.#told[label]).sort(
      (a, b) => this.#told[b]! - this.#told[a]!,
    );
    return most ?? null;
  }
}

function isUncounted({ uncounted }: Pick<ClipTruth, 'uncounted'>, timeMs: number, box: Box): boolean {
  return uncounted.some(
    ({ fromMs, toMs, region }) =>
      timeMs >= fromMs && timeMs <= toMs && (!region || isMostlyInside(box, region)),
  );
}
