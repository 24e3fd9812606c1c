import type { EngineMeasurement } from '../../inference/choice-cache.js';

/** `ok`: there and works; `absent`: not there, and maskwatch runs without; `problem`: needed, and missing or broken. */
export type FindingState = 'ok' | 'absent' | 'problem';

/** One thing that was looked at. */
export interface Finding {
  readonly name: string;
  readonly state: FindingState;
  /** What was found, or why it does not work. */
  readonly detail: string;
  /** The command that gets it, or what to do where no command can. */
  readonly remedy?: string;
  /** Of `engine: auto`: the figures behind the choice. */
  readonly measurement?: EngineMeasurement;
}
