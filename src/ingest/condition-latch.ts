/** What one frame says about a condition; `unsure`: neither, what is known stays. */
export type Evidence = 'present' | 'absent' | 'unsure';

/** Limits of one figure: at or above `on` it speaks for a condition, at or below `off` against it. */
export interface Limits {
  readonly on: number;
  readonly off: number;
}

export function above(value: number, { on, off }: Limits): Evidence {
  if (value >= on) return 'present';
  return value <= off ? 'absent' : 'unsure';
}

export function worst(...all: readonly Evidence[]): Evidence {
  if (all.includes('present')) return 'present';
  return all.includes('unsure') ? 'unsure' : 'absent';
}

/** One moment on both clocks: monotonic for durations, wall for people. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * Hysteresis in time: a leaky bucket. Frames that show the condition fill it, others empty it; the condition is on once
 * it is full, after `enterMs` of frames without interruption, and off once it is empty, after `leaveMs`. So it flickers
 * neither on one odd frame nor on one good one, and a fault that comes and goes (a broken group of pictures out
 * of two) is told once. Hysteresis in value is the caller's: `present` and `absent` have limits of their own.
 */
export class ConditionLatch {
  readonly #enterMs: number;
  readonly #leaveMs: number;
  #levelMs = 0;
  #sinceMs: number | null = null;
  #isOn = false;

  constructor(options: { readonly enterMs: number; readonly leaveMs: number }) {
    this.#enterMs = Math.max(1, options.enterMs);
    this.#leaveMs = Math.max(1, options.leaveMs);
  }

  /** Wall clock at which what is on began, ms since 1970 (before it was told); `null` while it is off. */
  get sinceMs(): number | null {
    return this.#isOn ? this.#sinceMs : null;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  /** `elapsedMs`: time that this frame stands for. @returns whether the condition came or went with it. */
  add(evidence: Evidence, elapsedMs: number, wallMs: number): boolean {
    const wasOn = this.#isOn;
    if (evidence === 'present') {
      if (this.#levelMs === 0) this.#sinceMs ??= wallMs;
      this.#levelMs = Math.min(this.#enterMs, this.#levelMs + elapsedMs);
      if (this.#levelMs >= this.#enterMs) this.#isOn = true;
    } else if (evidence === 'absent') {
      this.#levelMs = Math.max(0, this.#levelMs - (elapsedMs * this.#enterMs) / this.#leaveMs);
      if (this.#levelMs === 0) this.clear();
    }
    return this.#isOn !== wasOn;
  }

  /** Off at once; what was counted is forgotten. */
  clear(): void {
    this.#levelMs = 0;
    this.#sinceMs = null;
    this.#isOn = false;
  }
}
