/** What a client must know to decode a stream; taken from the packetiser's own SDP (RFC 4566, RFC 6184, 8.2). */
export interface MediaDescription {
  readonly payloadType: number;
  /** e.g. `H264/90000` */
  readonly encoding: string;
  /** Format parameters with `sprop-parameter-sets`, or `null`. */
  readonly formatParameters: string | null;
}

export const TRACK_CONTROL = 'trackID=0';

/** The first video medium of an SDP, or `null`. */
export function readMediaDescription(sdp: string): MediaDescription | null {
  const lines = sdp.split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith('m=video '));
  if (start < 0) return null;
  const payloadType = Number(lines[start]?.split(' ')[3]);
  if (!Number.isInteger(payloadType)) return null;
  const next = lines.findIndex((line, index) => index > start && line.startsWith('m='));
  const section = lines.slice(start, next < 0 ? undefined : next);
  const attribute = (name: string) => {
    const prefix = `a=${name}:${payloadType} `;
    return section.find((line) => line.startsWith(prefix))?.slice(prefix.length) ?? null;
  };
  const encoding = attribute('rtpmap');
  return encoding === null ? null : { payloadType, encoding, formatParameters: attribute('fmtp') };
}

/** The parameter sets in the format parameters: H.264's SPS and PPS, H.265's VPS, SPS and PPS, in this order. */
export function readParameterSets(media: MediaDescription): Buffer[] {
  const fields = new Map(
    (media.formatParameters ?? '').split(';').map((field) => {
      const [name = '', ...value] = field.trim().split('=');
      return [name.toLowerCase(), value.join('=')] as const;
    }),
  );
  return ['sprop-vps', 'sprop-sps', 'sprop-pps', 'sprop-parameter-sets']
    .flatMap((name) => fields.get(name)?.split(',') ?? [])
    .map((text) => Buffer.from(text, 'base64'))
    .filter((nal) => nal.length > 0);
}

/** The SDP of a live stream with one video track, controlled as `trackID=0` or as a whole. */
export function writeSessionDescription(
  media: MediaDescription,
  options: { name: string; id: number },
): string {
  const format = media.formatParameters;
  return [
    'v=0',
    `o=- ${options.id} 1 IN IP4 127.0.0.1`,
    `s=${options.name}`,
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=range:npt=now-',
    'a=control:*',
    `m=video 0 RTP/AVP ${media.payloadType}`,
    `a=rtpmap:${media.payloadType} ${media.encoding}`,
    ...(format === null ? [] : [`a=fmtp:${media.payloadType} ${format}`]),
    `a=control:${TRACK_CONTROL}`,
    '',
  ].join('\r\n');
}
