import type { PictureStatistics } from '../domain/picture.js';
import type { Evidence } from './condition-latch.js';
import { type SceneLikeness, SceneModel } from './scene-model.js';

/** Somebody may fill the picture for this long; then what is seen is another scene, ms. */
const INTERRUPTED_MS = 2000;
/** A camera that was moved stands still for this long before its new scene counts as one, ms. */
const SETTLED_MS = 2000;
/** Scenes are compared this often at the most: they change slowly, and people should have moved meanwhile, ms. */
const PERIOD_MS = 400;

/** Share of blocks that show the same: the scene is still there, or is gone. */
const SAME_SCENE = 0.7;
/** As much is enough to learn from: people hide the rest for a while. */
const LEARNABLE = 0.6;
const OTHER_SCENE = 0.5;
/** Share of the usual edges that are lost: hardly any is left, or enough are. */
const EDGES_GONE = 0.85;
const EDGES_THERE = 0.6;
/** Share of the usual sharpness. */
const BLURRED = 0.3;
const SHARP = 0.45;

export interface SceneEvidence {
  readonly covered: Evidence;
  readonly outOfFocus: Evidence;
  readonly moved: Evidence;
  /** For how long another scene has been seen without a break, ms; 0: none. */
  readonly newSceneMs: number;
}

const NOTHING_KNOWN: SceneEvidence = {
  ...{ covered: 'absent', outOfFocus: 'absent', moved: 'absent', newSceneMs: 0 },
};

/** What was known of the scene stays known: a covered lens may go black. */
const NOTHING_NEW: SceneEvidence = {
  ...{ covered: 'unsure', outOfFocus: 'unsure', moved: 'unsure', newSceneMs: 0 },
};

/**
 * Holds pictures against what the camera usually sees, the reference, which it learns from some time of one and the same scene
 * and follows slowly. Three things can be gone:
 * - the edges and the place: something is before the lens (`covered`; loss of edges against a learnt background: Saglam
 *   and Temizel, "Real-time adaptive camera tamper detection for video surveillance", AVSS 2009);
 * - the fine detail, while light and dark are where they were: `out_of_focus` (the same paper);
 * - the place alone, while the picture has edges and shows one new scene that stands still: `moved` (people who fill the
 *   picture do not stand still for seconds).
 *
 * A camera that never holds still, or has nothing to see but a plain wall, has no reference: nothing is told of it.
 */
export class SceneWatch {
  readonly #learnMs: number;
  #reference: SceneModel | null = null;
  /** What has been seen of late; becomes the reference. */
  #recent: SceneModel | null = null;
  /** For how long the pictures have not been like it. */
  #unlikeMs = 0;
  #pendingMs = 0;
  #evidence: SceneEvidence = NOTHING_KNOWN;

  /** `learnMs`: a scene that has been the same for this long is what the camera usually sees. */
  constructor(options: { readonly learnMs: number }) {
    this.#learnMs = options.learnMs;
  }

  /** What is usual here; `null` before it is learnt. */
  get usual(): Pick<SceneModel, 'smearShare' | 'greyShare' | 'castShare'> | null {
    return this.#reference;
  }

  /** `isUnfit`: the picture says nothing of the scene (it is black, …). `isStill`: it is an old one. */
  add(
    picture: PictureStatistics,
    elapsedMs: number,
    state: { readonly isUnfit: boolean; readonly isStill: boolean },
  ): SceneEvidence {
    if (state.isStill) return NOTHING_NEW;
    if (state.isUnfit) {
      this.#recent = null;
      this.#pendingMs = 0;
      this.#evidence = NOTHING_NEW;
      return this.#evidence;
    }
    this.#pendingMs += elapsedMs;
    if (this.#pendingMs < PERIOD_MS && this.#recent) return this.#evidence;
    const spanMs = this.#pendingMs;
    this.#pendingMs = 0;
    this.#follow(picture, spanMs);
    if (this.#reference) this.#evidence = this.#judge(this.#reference, picture, spanMs);
    return this.#evidence;
  }

  /** What is seen now is what the camera sees from now on. */
  acceptNewScene(): void {
    this.#reference = this.#recent;
    this.#recent = null;
    this.#evidence = NOTHING_KNOWN;
  }

  #follow(picture: PictureStatistics, spanMs: number): void {
    const likeness = this.#recent?.compare(picture);
    const isSame = likeness?.match != null && likeness.match >= LEARNABLE;
    this.#unlikeMs = isSame ? 0 : this.#unlikeMs + spanMs;
    if (!this.#recent || this.#unlikeMs >= INTERRUPTED_MS) {
      this.#recent = new SceneModel(picture);
      this.#unlikeMs = 0;
    } else if (isSame) this.#recent.learn(picture, spanMs);
    if (!this.#reference && this.#recent.ageMs >= this.#learnMs) {
      this.#reference = this.#recent;
      this.#recent = null;
    }
  }

  #judge(reference: SceneModel, picture: PictureStatistics, spanMs: number): SceneEvidence {
    const likeness = reference.compare(picture);
    const place = placeOf(likeness);
    const edges = edgesOf(likeness);
    const focus = focusOf(likeness);
    // Learning while something is wrong would make it usual.
    if (place === 'there' && edges !== 'gone' && focus !== 'blurred') reference.learn(picture, spanMs);
    const settledMs = this.#unlikeMs === 0 ? (this.#recent?.ageMs ?? 0) : 0;
    const isNewScene = place === 'gone' && edges !== 'unknown' && settledMs >= SETTLED_MS;
    const isCovered = place !== 'there' && place !== 'unknown' && edges === 'gone';
    return {
      covered: isCovered ? 'present' : place === 'there' || edges === 'there' ? 'absent' : 'unsure',
      outOfFocus:
        place === 'there' && focus === 'blurred'
          ? 'present'
          : place === 'gone' || focus === 'sharp'
            ? 'absent'
            : 'unsure',
      moved: place === 'there' ? 'absent' : isNewScene && edges === 'there' ? 'present' : 'unsure',
      newSceneMs: isNewScene && !isCovered ? settledMs : 0,
    };
  }
}

function placeOf({ match }: SceneLikeness): 'there' | 'gone' | 'unsure' | 'unknown' {
  if (match === null) return 'unknown';
  if (match >= SAME_SCENE) return 'there';
  return match <= OTHER_SCENE ? 'gone' : 'unsure';
}

function edgesOf({ lostEdges }: SceneLikeness): 'there' | 'gone' | 'unsure' | 'unknown' {
  if (lostEdges === null) return 'unknown';
  if (lostEdges >= EDGES_GONE) return 'gone';
  return lostEdges <= EDGES_THERE ? 'there' : 'unsure';
}

function focusOf({ sharpness }: SceneLikeness): 'sharp' | 'blurred' | 'unsure' {
  if (sharpness <= BLURRED) return 'blurred';
  return sharpness >= SHARP ? 'sharp' : 'unsure';
}
