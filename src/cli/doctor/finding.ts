/** `ok`: there and works; `absent`: not there, and maskwatch runs without; `problem`: needed, and missing or broken. */
export type FindingState = 'ok' | 'absent' | 'problem';

/** One thing that was looked at. */
export interface Finding {
  readonly name: string;
  readonly state: FindingState;
  /** What was found, or why it does not work. */
  readonly detail: string;
  /** The command, or the page, that gets it. */
  readonly remedy?: string;
}
