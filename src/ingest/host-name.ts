import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Finds the addresses of a host name; rejects when there is none. */
export type HostLookup = (hostName: string) => Promise<readonly { address: string; family: number }[]>;

export const systemLookup: HostLookup = (hostName) => lookup(hostName, { all: true });

export type ResolvedUrl =
  | { readonly ok: true; readonly url: string; readonly hostName: string | null }
  | { readonly ok: false; readonly message: string };

const ADDRESS = /^([a-z][a-z0-9+.-]*:\/\/)(\[[^\]]*\]|[^:/?#]*)(.*)$/is;

/**
 * Puts a numeric address in the place of the host name. Statically linked ffmpegs cannot look names up (the
 * one that npm installs dies of SIGSEGV, for `localhost` too), so we do it for them, at every start anew.
 * IPv4 is preferred: it is what cameras speak.
 *
 * @param url an address without user and password.
 * @returns `hostName` is what was replaced, `null` when the address was numeric already.
 */
export async function resolveHostName(
  url: string,
  signal: AbortSignal,
  hostLookup: HostLookup = systemLookup,
): Promise<ResolvedUrl> {
  const [, scheme = '', host = '', rest = ''] = ADDRESS.exec(url) ?? [];
  if (host === '' || host.startsWith('[') || isIP(host)) return { ok: true, url, hostName: null };
  let onAbort: (() => void) | undefined;
  try {
    // A look-up cannot be called off, but nobody has to wait for it.
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
    const found = await Promise.race([hostLookup(host), aborted]);
    const chosen = found.find(({ family }) => family === 4) ?? found[0];
    if (!chosen) return { ok: false, message: `The host name ${host} has no address` };
    const numeric = chosen.family === 6 ? `[${chosen.address}]` : chosen.address;
    return { ok: true, url: scheme + numeric + rest, hostName: host };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    return { ok: false, message: `The host name ${host} cannot be resolved (${code})` };
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
