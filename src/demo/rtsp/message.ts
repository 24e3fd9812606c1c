/** RTSP 1.0 messages as they lie in a TCP stream, between interleaved binary packets (RFC 2326, 4–7 and 10.12). */

export interface RtspRequest {
  /** As sent: methods are case-sensitive. */
  readonly method: string;
  /** Absolute URI, or `*`. */
  readonly uri: string;
  readonly version: string;
  /** Keys in lower case; a repeated header is joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What a peer sent. After `malformed` the stream's framing is lost: answer 400 and close. */
export type RtspInput =
  | { readonly kind: 'request'; readonly request: RtspRequest }
  | { readonly kind: 'interleaved'; readonly channel: number; readonly payload: Buffer }
  | { readonly kind: 'malformed'; readonly reason: string; readonly cseq: string | undefined };

export interface RtspResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const REASON_PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  451: 'Parameter Not Understood',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  459: 'Aggregate Operation Not Allowed',
  461: 'Unsupported Transport',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'RTSP Version Not Supported',
  551: 'Option Not Supported',
};

/** The bytes of a response, `Content-Length` included. */
export function formatResponse(response: RtspResponse, cseq: string | undefined): Buffer {
  const lines = [`RTSP/1.0 ${response.status} ${REASON_PHRASES[response.status] ?? 'Unknown'}`];
  if (cseq !== undefined) lines.push(`CSeq: ${cseq}`);
  lines.push('Server: Maskwatch simulated camera');
  for (const [name, value] of Object.entries(response.headers ?? {})) lines.push(`${name}: ${value}`);
  const body = Buffer.from(response.body ?? '', 'utf8');
  if (body.length > 0) lines.push(`Content-Length: ${body.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8'), body]);
}

/** One interleaved packet: `$`, channel, length (big endian), payload. */
export const INTERLEAVED_HEADER_BYTES = 4;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
/** A peer that sends more than this without ending its header or body is not speaking RTSP. */
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Cuts a TCP stream into requests and interleaved packets. Holds at most one unfinished message (≤ 80 KiB).
 * Payloads are views of the chunks pushed, not copies.
 */
export class RtspParser {
  #pending: Buffer = Buffer.alloc(0);
  #isBroken = false;

  /** What became complete with this chunk, in order. Nothing more after a `malformed` input. */
  push(chunk: Buffer): RtspInput[] {
    if (this.#isBroken) return [];
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    const inputs: RtspInput[] = [];
    for (;;) {
      const step = parseOne(rest);
      if (step === null) break;
      rest = rest.subarray(step.usedBytes);
      if (step.input) inputs.push(step.input);
      if (step.input?.kind === 'malformed') {
        this.#isBroken = true;
        rest = rest.subarray(rest.length);
        break;
      }
    }
    this.#pending = rest;
    return inputs;
  }
}

interface ParseStep {
  readonly usedBytes: number;
  readonly input?: RtspInput;
}

/** `null`: more bytes are needed. */
function parseOne(buffer: Buffer): ParseStep | null {
  const first = buffer[0];
  if (first === undefined) return null;
  if (first === DOLLAR) {
    if (buffer.length < INTERLEAVED_HEADER_BYTES) return null;
    const endBytes = INTERLEAVED_HEADER_BYTES + buffer.readUInt16BE(2);
    if (buffer.length < endBytes) return null;
    const payload = buffer.subarray(INTERLEAVED_HEADER_BYTES, endBytes);
    return { usedBytes: endBytes, input: { kind: 'interleaved', channel: buffer.readUInt8(1), payload } };
  }
  // Empty lines between messages are to be ignored (RFC 2326, 4.1).
  if (first === CR || first === LF) return { usedBytes: 1 };
  const headerEnd = buffer.subarray(0, MAX_HEADER_BYTES + 4).indexOf('\r\n\r\n');
  if (headerEnd < 0) {
    return buffer.length > MAX_HEADER_BYTES ? malformed(buffer, 'header too long', undefined) : null;
  }
  return parseMessage(buffer, headerEnd);
}

function parseMessage(buffer: Buffer, headerEnd: number): ParseStep | null {
  const lines = buffer.toString('utf8', 0, headerEnd).split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) return malformed(buffer, 'header line without a colon', headers.get('cseq'));
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const former = headers.get(name);
    headers.set(name, former === undefined ? value : `${former}, ${value}`);
  }
  const cseq = headers.get('cseq');
  const lengthText = headers.get('content-length') ?? '0';
  if (!/^\d{1,9}$/.test(lengthText)) return malformed(buffer, 'bad Content-Length', cseq);
  const bodyBytes = Number(lengthText);
  if (bodyBytes > MAX_BODY_BYTES) return malformed(buffer, 'body too long', cseq);
  const bodyStart = headerEnd + 4;
  if (buffer.length < bodyStart + bodyBytes) return null;
  const usedBytes = bodyStart + bodyBytes;
  // A client may answer what it believes to be a request of ours; we never ask, so drop it.
  if (lines[0]?.startsWith('RTSP/')) return { usedBytes };
  const start = /^([A-Z_]+) (\S+) (RTSP\/\d+\.\d+)$/.exec(lines[0] ?? '');
  if (!start) return malformed(buffer, 'bad request line', cseq);
  const [, method = '', uri = '', version = ''] = start;
  const body = buffer.subarray(bodyStart, usedBytes);
  return { usedBytes, input: { kind: 'request', request: { method, uri, version, headers, body } } };
}

function malformed(buffer: Buffer, reason: string, cseq: string | undefined): ParseStep {
  return { usedBytes: buffer.length, input: { kind: 'malformed', reason, cseq } };
}
