import type { LinkKind } from './client-link.js';
import type { CameraFault } from './faults.js';

/** The `Transport` header (RFC 2326, 12.39): what a client offers at SETUP, in its order of preference. */

export type TransportOffer =
  | { readonly kind: 'tcp'; readonly channels: readonly [rtp: number, rtcp: number] | null }
  | { readonly kind: 'udp'; readonly clientPorts: readonly [rtp: number, rtcp: number] };

/** What a camera does not serve to a client that came this way. */
export function refusedTransports(
  link: LinkKind,
  fault: CameraFault | null,
): ReadonlySet<TransportOffer['kind']> {
  const refused = new Set<TransportOffer['kind']>();
  // Who hides what he says inside TLS or HTTP does not want, or cannot get, bare datagrams.
  if (link !== 'rtsp') refused.add('udp');
  if (fault?.kind !== 'no_transport') return refused;
  const isTunnel = link === 'http' || link === 'https';
  if (fault.transports.includes('udp')) refused.add('udp');
  if (fault.transports.includes(isTunnel ? 'http' : 'tcp')) refused.add('tcp');
  return refused;
}

/**
 * The first offer that this server can serve (interleaved TCP, or UDP unicast with the client's ports) and that is
 * not refused, or `null` where there is none: answer 461. `destination` is ignored on purpose: packets go only to the address
 * that the request came from, so that nobody can point the stream at a third machine.
 */
export function chooseTransport(
  header: string,
  refused: ReadonlySet<TransportOffer['kind']> = new Set(),
): TransportOffer | null {
  for (const choice of header.split(',')) {
    const offer = parseOffer(choice.trim());
    if (offer && !refused.has(offer.kind)) return offer;
  }
  return null;
}

function parseOffer(text: string): TransportOffer | null {
  const [profile = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).toLowerCase();
    parameters.set(name, equals < 0 ? '' : part.slice(equals + 1).replaceAll('"', ''));
  }
  const mode = parameters.get('mode');
  if (parameters.has('multicast') || (mode !== undefined && mode.toLowerCase() !== 'play')) return null;
  switch (profile.toUpperCase()) {
    case 'RTP/AVP/TCP': {
      const range = parameters.get('interleaved');
      if (range === undefined) return { kind: 'tcp', channels: null };
      const channels = parsePair(range, 0, 255);
      return channels && { kind: 'tcp', channels };
    }
    case 'RTP/AVP':
    case 'RTP/AVP/UDP': {
      const clientPorts = parsePair(parameters.get('client_port') ?? '', 1, 65_535);
      return clientPorts && { kind: 'udp', clientPorts };
    }
    default:
      return null;
  }
}

/** `a-b`, or `a` alone, which means `a` and the next. */
function parsePair(text: string, min: number, max: number): readonly [number, number] | null {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return null;
  const first = Number(match[1]);
  const second = match[2] === undefined ? first + 1 : Number(match[2]);
  return first >= min && second <= max && second > first ? [first, second] : null;
}
