/** How far a set-up is; every phase that may take longer than a moment is told. */
export interface SetupProgress {
  /** Work begins that cannot be counted. */
  phase(label: string): void;
  begin(label: string, total: number, unit: string): void;
  update(done: number): void;
  end(): void;
}

/** For those who do not look. */
export const SILENT: SetupProgress = { phase: () => {}, begin: () => {}, update: () => {}, end: () => {} };
