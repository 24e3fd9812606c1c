import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RtspReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface ReceivedRtp {
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly hasMarker: boolean;
  readonly payload: Buffer;
  /** Of the H.264 NAL units that lie in it, whole or in part. */
  readonly nalTypes: readonly number[];
}

/** A bare RTSP client over interleaved TCP that hides nothing: every reply and every packet, in order. */
export class RtspTestClient {
  readonly rtp: ReceivedRtp[] = [];
  readonly rtcp: Buffer[] = [];
  #cseq = 0;
  #buffer: Buffer = Buffer.alloc(0);
  #replies: RtspReply[] = [];
  #wake: (() => void)[] = [];
  isClosed = false;

  private constructor(
    readonly socket: Socket,
    readonly url: string,
  ) {
    socket.on('data', (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      while (this.#takeOne());
      this.#changed();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.#changed();
    });
  }

  static async open(url: string): Promise<RtspTestClient> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RtspTestClient(socket, url);
  }

  /** Sends bytes as they are and resolves with the next reply. */
  async raw(text: string): Promise<RtspReply> {
    this.socket.write(text);
    await this.until(() => this.#replies.length > 0 || this.isClosed);
    const reply = this.#replies.shift();
    if (!reply) throw new Error('the server closed the connection without a reply');
    return reply;
  }

  request(
    method: string,
    headers: Record<string, string> = {},
    options: { uri?: string; body?: string; version?: string } = {},
  ): Promise<RtspReply> {
    this.#cseq += 1;
    const body = options.body ?? '';
    const lines = [`${method} ${options.uri ?? this.url} ${options.version ?? 'RTSP/1.0'}`];
    for (const [name, value] of Object.entries({ CSeq: String(this.#cseq), ...headers })) {
      lines.push(`${name}: ${value}`);
    }
    if (body !== '') lines.push(`Content-Length: ${body.length}`);
    return this.raw(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  /** DESCRIBE, SETUP over TCP and PLAY; resolves with the session's id and the two answers. */
  async play(): Promise<{ session: string; setup: RtspReply; play: RtspReply }> {
    await this.request('DESCRIBE', { Accept: 'application/sdp' });
    const transport = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' };
    const setup = await this.request('SETUP', transport, { uri: `${this.url}/trackID=0` });
    const session = setup.headers.get('session')?.split(';')[0] ?? '';
    const play = await this.request('PLAY', { Session: session, Range: 'npt=0.000-' });
    return { session, setup, play };
  }

  /** Resolves when `count` packets in all have come. */
  async receive(count: number): Promise<ReceivedRtp[]> {
    await this.until(() => this.rtp.length >= count || this.isClosed);
    if (this.rtp.length < count) throw new Error(`closed after ${this.rtp.length} of ${count} packets`);
    return this.rtp.slice(0, count);
  }

  /** Looks again whenever something has come. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  close(): void {
    this.socket.destroy();
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #takeOne(): boolean {
    const buffer = this.#buffer;
    if (buffer.length < 4) return false;
    if (buffer[0] === 0x24) {
      const end = 4 + buffer.readUInt16BE(2);
      if (buffer.length < end) return false;
      const payload = buffer.subarray(4, end);
      if (buffer[1] === 0) this.rtp.push(readRtp(payload));
      else this.rtcp.push(Buffer.from(payload));
      this.#buffer = buffer.subarray(end);
      return true;
    }
    const headerEnd = buffer.indexOf('\r\n\r\n');
    if (headerEnd < 0) return false;
    const [first = '', ...lines] = buffer.toString('utf8', 0, headerEnd).split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const end = headerEnd + 4 + Number(headers.get('content-length') ?? 0);
    if (buffer.length < end) return false;
    const body = buffer.toString('utf8', headerEnd + 4, end);
    this.#replies.push({ status: Number(first.split(' ')[1]), headers, body });
    this.#buffer = buffer.subarray(end);
    return true;
  }
}

function readRtp(packet: Buffer): ReceivedRtp {
  return {
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    hasMarker: (packet.readUInt8(1) & 0x80) !== 0,
    payload: packet.subarray(12),
    nalTypes: readNalTypes(packet.subarray(12)),
  };
}

function readNalTypes(payload: Buffer): number[] {
  const type = payload.readUInt8(0) & 0x1f;
  if (type === 28) return [payload.readUInt8(1) & 0x1f];
  if (type !== 24) return [type];
  const types: number[] = [];
  for (let at = 1; at < payload.length; at += 2 + payload.readUInt16BE(at)) {
    types.push(payload.readUInt8(at + 2) & 0x1f);
  }
  return types;
}

/** Distinct time stamps in the order of their coming. */
export function pictureTimes(packets: readonly ReceivedRtp[]): number[] {
  return packets
    .filter((packet, index) => packet.timestamp !== packets[index - 1]?.timestamp)
    .map(({ timestamp }) => timestamp);
}
