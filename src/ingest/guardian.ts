import { type ChildProcess, spawn } from 'node:child_process';

/**
 * A small shell that reads from a pipe to its owner and, when that ends, kills whatever carries the owner's mark
 * (see owner-mark.ts). It needs no list of process ids, so that none can be out of date; and it looks three times
 * within two seconds, because a child forked just before the owner died shows its mark only once it is ffmpeg.
 * Ctrl+C and the like are not meant for it. The first line that it reads is the mark, which so stands neither in its
 * own environment nor among its arguments.
 */
const SCRIPT = `
trap '' HUP INT QUIT TERM
IFS= read -r mark && [ -n "$mark" ] || exit 0
while read -r _; do :; done
marked() {
  if [ "$1" = proc ]; then
    grep -lF -- "$mark" /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ pid _; do echo "$pid"; done
  else
    { ps -axEww -o pid= -o command= 2>/dev/null || ps axeww -o pid= -o command=; } |
      while read -r pid text; do case $text in *"$mark"*) echo "$pid" ;; esac; done
  fi
}
for _ in 1 2 3; do
  for pid in $(marked "$1"); do kill -KILL "$pid" 2>/dev/null; done
  sleep 1
done
`;
/** One that does not stay must not be started over and over. */
const PAUSE_MS = 1000;

export interface GuardianOptions {
  readonly mark: string;
  /** Whether there is anything to guard: asked when a guardian has died. */
  readonly isNeeded: () => boolean;
  /** Where the environments of processes are read. */
  readonly from: 'proc' | 'ps';
}

/** Keeps one such shell running from the first {@link ensure} on. It leaves when this process ends, however it does. */
export class Guardian {
  #shell: ChildProcess | null = null;

  constructor(private readonly options: GuardianOptions) {}

  get pid(): number | null {
    return this.#shell?.pid ?? null;
  }

  /** Idempotent. Does not keep the process alive. Throws where no process is to be had. */
  ensure(): void {
    if (this.#shell) return;
    const shell = spawn('sh', ['-c', SCRIPT, 'maskwatch-guardian', this.options.from], {
      // Apart from our process group and folder: what is done to those must not end it, nor it hold them.
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#shell = shell;
    const again = () => {
      // Held until the pause is over, so that ensure() does not begin another before.
      if (this.#shell === shell) this.#afterPause();
    };
    shell.once('exit', again);
    shell.once('error', again);
    shell.stdin?.on('error', () => {});
    // Written at once, before any child is started: the system keeps it for the guardian also if we die now.
    shell.stdin?.write(`${this.options.mark}\n`);
    shell.unref();
    // A pipe is a socket here.
    if (shell.stdin && 'unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  }

  #afterPause(): void {
    setTimeout(() => {
      this.#shell = null;
      if (!this.options.isNeeded()) return;
      try {
        this.ensure();
      } catch {
        this.#afterPause(); // No process to be had just now.
      }
    }, PAUSE_MS).unref();
  }
}
