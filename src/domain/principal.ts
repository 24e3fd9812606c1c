/** Who a token speaks for, and which cameras it may see. */
export interface Principal {
  readonly subject: string;
  readonly cameras: 'all' | readonly string[];
  /** Wall clock, ms since 1970; `null`: never. */
  readonly expiresAtMs: number | null;
}
