import type { Clock } from '../lib/clock.js';
import { type BackoffOptions, deniedRetryMs } from './backoff.js';
import { credentialsOf } from './ffmpeg-arguments.js';
import type { RunEnd } from './frame-source.js';
import { DEFAULT_PORTS } from './host-check.js';

export interface LoginRegisterOptions {
  readonly clock: Clock;
  readonly limits: BackoffOptions;
  /** Highest ceiling of the wait after a refusal, ms. */
  readonly deniedMaxMs: number;
  /** From [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/** Who logs in where. */
export interface Login {
  readonly cameraId: string;
  /** The same for all who log in at one place with the same user and password; `null`: without any. */
  readonly account: string | null;
}

/** Of a stream, for {@link Login}. Holds the password: for comparing, never to be told. */
export function accountOf(stream: {
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}): string | null {
  const { url, username, password } = credentialsOf({ username: undefined, password: undefined, ...stream });
  const [, scheme = '', place] = PLACE.exec(url) ?? [];
  if (place === undefined || (username === undefined && password === undefined)) return null;
  const port = /:\d+$/.test(place) ? '' : `:${DEFAULT_PORTS[scheme.toLowerCase()] ?? ''}`;
  return [place.toLowerCase() + port, username, password].join('\0');
}

/** What a camera is told that may not try its login now. */
export const REFUSED_BEFORE: RunEnd = {
  reason: 'unauthorized',
  message:
    'User or password were refused here a short while ago: not tried again yet, or the account would be locked',
  retryable: false,
};

/** Scheme, host and port. */
const PLACE = /^([a-z]+):\/\/([^/?#]+)/i;

/** Leave to try a login once. */
export interface LoginTurn {
  /** A picture came: user and password are right. */
  accepted(): void;
  refused(): void;
  /** The run is over, whatever came of it. Later calls do nothing. */
  leave(): void;
}

/** How often a camera, or an account, was refused since its last picture, and until when nobody tries it. */
interface Refusals {
  count: number;
  /** Monotonic clock, ms. */
  closedUntilMs: number;
}

interface Account extends Refusals {
  live: number;
  trying: number;
  /** Refused since the last picture or pause; when that is as many as may try, nobody does for a while. */
  refused: number;
  waiting: (() => void)[];
}

/** As long as nobody knows whether they are right. Recorders lock after five to seven wrong ones in half an hour. */
const MAX_UNPROVEN = 2;

/**
 * Who may try which user and password when. The channels of one recorder share them, and many recorders lock an account, or
 * an address, after a handful of wrong attempts. As long as no camera shows pictures with a login, few try it at a time;
 * when all of these are refused nobody does for a while, then one, ever more rarely. A camera that is refused while
 * others with the same login are live is refused alone: a user need not have a right to every channel.
 */
export class LoginRegister {
  readonly #options: LoginRegisterOptions;
  readonly #random: () => number;
  readonly #accounts = new Map<string, Account>();
  readonly #cameras = new Map<string, Refusals>();

  constructor(options: LoginRegisterOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  /**
   * Resolves when this login may be tried, or with `null` when it was refused a short while ago: see {@link waitMs}.
   * Rejects with the signal's reason when aborted meanwhile.
   */
  async enter(login: Login, signal: AbortSignal): Promise<LoginTurn | null> {
    while (await this.room(login, signal)) {
      const turn = this.tryEnter(login);
      if (turn) return turn;
    }
    return null;
  }

  /** As {@link enter}, but takes no turn: resolves with whether there may be one now. */
  async room(login: Login, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const account = this.#accountOf(login);
    for (;;) {
      if (this.waitMs(login) > 0) return false;
      if (!account || hasRoom(account)) return true;
      await turnOf(account, signal);
    }
  }

  /** A turn now, or `null`. */
  tryEnter(login: Login): LoginTurn | null {
    const account = this.#accountOf(login);
    if (this.waitMs(login) > 0 || (account && !hasRoom(account))) return null;
    return this.#turn(this.#cameraOf(login), account);
  }

  /** Until this login may be tried again, ms; 0: now. */
  waitMs(login: Login): number {
    const account = this.#accountOf(login);
    const untilMs = Math.max(
      this.#cameraOf(login).closedUntilMs,
      account && account.live === 0 ? account.closedUntilMs : 0,
    );
    return Math.max(0, untilMs - this.#options.clock.monotonicMs());
  }

  #turn(camera: Refusals, account: Account | null): LoginTurn {
    if (account) account.trying += 1;
    let isLive = false;
    let isOver = false;
    return {
      accepted: () => {
        if (isLive || isOver) return;
        isLive = true;
        reopen(camera);
        if (!account) return;
        account.trying -= 1;
        account.live += 1;
        account.refused = 0;
        reopen(account);
        wake(account);
      },
      refused: () => {
        this.#close(camera);
        if (account && account.live === 0) account.refused += 1;
      },
      leave: () => {
        if (isOver) return;
        isOver = true;
        if (!account) return;
        if (isLive) account.live -= 1;
        else account.trying -= 1;
        if (account.trying === 0 && account.refused >= mostTries(account)) {
          account.refused = 0;
          this.#close(account);
        }
        wake(account);
      },
    };
  }

  #close(refusals: Refusals): void {
    const { clock, limits, deniedMaxMs } = this.#options;
    const waitMs = deniedRetryMs(limits, deniedMaxMs, refusals.count, this.#random());
    refusals.closedUntilMs = clock.monotonicMs() + waitMs;
    refusals.count += 1;
  }

  #accountOf({ account: key }: Login): Account | null {
    if (key === null) return null;
    let account = this.#accounts.get(key);
    if (!account) {
      account = { count: 0, closedUntilMs: 0, live: 0, trying: 0, refused: 0, waiting: [] };
      this.#accounts.set(key, account);
    }
    return account;
  }

  #cameraOf({ cameraId }: Login): Refusals {
    let camera = this.#cameras.get(cameraId);
    if (!camera) {
      camera = { count: 0, closedUntilMs: 0 };
      this.#cameras.set(cameraId, camera);
    }
    return camera;
  }
}

/** Wrong attempts that are risked before a pause. */
function mostTries({ count }: Account): number {
  return count > 0 ? 1 : MAX_UNPROVEN;
}

function hasRoom(account: Account): boolean {
  return account.live > 0 || account.trying + account.refused < mostTries(account);
}

function reopen(refusals: Refusals): void {
  refusals.count = 0;
  refusals.closedUntilMs = 0;
}

/** Each looks for itself whether there is room now. */
function wake(account: Account): void {
  for (const go of account.waiting.splice(0)) go();
}

function turnOf(account: Account, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    const onAbort = () => {
      account.waiting = account.waiting.filter((other) => other !== go);
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    account.waiting.push(go);
  });
}
