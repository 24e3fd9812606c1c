import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where things lie that can be made again: XDG_CACHE_HOME, else ~/.cache, in a folder of our own. Not created here. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME;
  // The XDG specification: a relative path is to be ignored.
  return join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'maskwatch');
}
