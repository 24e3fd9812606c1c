import type { Authenticator } from './auth.js';
import type { ClientLink } from './client-link.js';
import { isDeaf } from './faults.js';
import { faultyAnswer } from './faulty-answer.js';
import {
  formatResponse,
  type RtspInput,
  RtspParser,
  type RtspRequest,
  type RtspResponse,
} from './message.js';
import { type OpenedSession, openInterleaved, openUdp } from './open-session.js';
import { baseUrl, readPath } from './request-uri.js';
import type { RtspSession } from './session.js';
import { TRACK_CONTROL, writeSessionDescription } from './session-description.js';
import type { CameraStream, RtspLog } from './stream.js';
import { chooseTransport, refusedTransports, type TransportOffer } from './transport-header.js';

/** What a connection needs from its server. */
export interface ConnectionHost {
  readonly authenticator: Authenticator;
  readonly sessions: Map<string, RtspSession>;
  readonly maxSessions: number;
  readonly sessionTimeoutS: number;
  readonly log: RtspLog;
  findStream(path: string): CameraStream | null;
}

const METHODS = 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN';
/** Of RFC 2326, but nothing for a camera that only sends. Anything else gets 501. */
const REFUSED_METHODS = new Set(['ANNOUNCE', 'RECORD', 'REDIRECT']);
const MAX_WAITING_REQUESTS = 32;

/**
 * One client's connection. Requests are answered one after the other, in order. Interleaved sessions end
 * with it; UDP sessions go on until their client is silent for the time-out (RFC 2326, 3) or its port closes.
 */
export class RtspConnection {
  readonly #parser = new RtspParser();
  readonly #interleaved = new Map<number, RtspSession>();
  /** Streams that were asked for here, with whatever success. */
  readonly streams = new Set<CameraStream>();
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    readonly link: ClientLink,
    private readonly host: ConnectionHost,
  ) {
    const socket = link.output;
    socket.setTimeout(host.sessionTimeoutS * 2000, () => {
      if (this.#interleaved.size === 0 && !this.#isGone()) socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      for (const session of new Set(this.#interleaved.values())) session.close();
    });
    link.listen((chunk) => {
      for (const input of this.#parser.push(chunk)) this.#take(input);
    });
  }

  get #socket() {
    return this.link.output;
  }

  /** A camera that does not answer does not hang up either. */
  #isGone(): boolean {
    return [...this.streams].some(({ fault }) => fault !== null && isDeaf(fault));
  }

  /** Whether the session's packets travel on this connection. */
  carries(session: RtspSession): boolean {
    return [...this.#interleaved.values()].includes(session);
  }

  #take(input: RtspInput): void {
    if (input.kind === 'interleaved') {
      this.#interleaved.get(input.channel)?.keepAlive();
      return;
    }
    if (input.kind === 'malformed' || this.#waiting >= MAX_WAITING_REQUESTS) {
      const cseq = input.kind === 'malformed' ? input.cseq : input.request.headers.get('cseq');
      this.#turn = this.#turn.then(() => void this.#socket.end(formatResponse({ status: 400 }, cseq)));
      return;
    }
    const { request } = input;
    this.#waiting += 1;
    this.#turn = this.#turn.then(async () => {
      if (this.#socket.destroyed) return;
      let afterwards: (() => void) | undefined;
      let response: RtspResponse;
      try {
        const answer = await this.#answer(request);
        response = 'response' in answer ? answer.response : answer;
        afterwards = 'response' in answer ? answer.afterwards : undefined;
      } catch (error) {
        this.host.log('request failed', { method: request.method, error: String(error) });
        response = { status: 503 };
      }
      this.#waiting -= 1;
      if (this.#socket.writable) this.#socket.write(formatResponse(response, request.headers.get('cseq')));
      // Media must not overtake the answer that announces it.
      afterwards?.();
    });
  }

  async #answer(
    request: RtspRequest,
  ): Promise<RtspResponse | { response: RtspResponse; afterwards: () => void }> {
    const { method, headers } = request;
    if (request.version !== 'RTSP/1.0') return { status: 505 };
    if (!headers.has('cseq')) return { status: 400 };
    const required = headers.get('require');
    if (required !== undefined) return { status: 551, headers: { Unsupported: required } };
    const sessionId = headers.get('session')?.split(';')[0]?.trim();
    const session = sessionId === undefined ? undefined : this.host.sessions.get(sessionId);
    if (sessionId !== undefined && !session) return { status: 454 };
    const path = readPath(request.uri);
    const stream = path === null ? null : this.host.findStream(path);
    if (stream) {
      this.streams.add(stream);
      const faulty = await faultyAnswer(stream, this.link, this.host.authenticator);
      if (faulty) return faulty;
    }
    if (method === 'OPTIONS') {
      session?.keepAlive();
      return { status: 200, headers: { Public: METHODS } };
    }
    if (REFUSED_METHODS.has(method)) return { status: 405, headers: { Allow: METHODS } };
    if (path === null) return { status: 400 };
    if (!stream || (session && session.stream !== stream)) return { status: 404 };
    const refusal = this.#authorise(stream, request);
    if (refusal) return refusal;
    session?.keepAlive();
    switch (method) {
      case 'DESCRIBE':
        return this.#describe(stream, request);
      case 'SETUP':
        return this.#setUp(stream, request, session);
      case 'PLAY':
        return session ? this.#play(stream, session, request) : { status: 454 };
      case 'PAUSE':
        if (!session) return { status: 454 };
        session.pause();
        return { status: 200, headers: { Session: session.id } };
      case 'TEARDOWN':
        if (!session) return { status: 454 };
        session.close();
        return { status: 200 };
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        // Without a body the former is the usual sign of life; we have no parameters to tell or to set.
        return { status: request.body.length > 0 ? 451 : 200, headers: sessionHeader(session) };
      default:
        return { status: 501, headers: { Allow: METHODS } };
    }
  }

  #authorise(stream: CameraStream, request: RtspRequest): RtspResponse | null {
    if (!stream.auth) return null;
    const result = this.host.authenticator.verify(stream.auth, request);
    if (result === 'ok') return null;
    if (result === 'wrong') this.host.log('wrong credentials', { path: stream.path, method: request.method });
    const challenge = this.host.authenticator.challenge(stream.auth, { isStale: result === 'stale' });
    return { status: 401, headers: { 'WWW-Authenticate': challenge } };
  }

  async #describe(stream: CameraStream, request: RtspRequest): Promise<RtspResponse> {
    const accept = request.headers.get('accept');
    if (accept !== undefined && !/application\/sdp|application\/\*|\*\/\*/i.test(accept))
      return { status: 406 };
    const media = await stream.describe();
    return {
      status: 200,
      headers: { 'Content-Base': `${baseUrl(request.uri)}/`, 'Content-Type': 'application/sdp' },
      body: writeSessionDescription(media, { name: stream.path, id: 1 }),
    };
  }

  async #setUp(
    stream: CameraStream,
    request: RtspRequest,
    former: RtspSession | undefined,
  ): Promise<RtspResponse> {
    if (former) return { status: 455, headers: sessionHeader(former) };
    const refused = refusedTransports(this.link.kind, stream.fault);
    const offer = chooseTransport(request.headers.get('transport') ?? '', refused);
    if (!offer) {
      if (stream.fault?.kind === 'no_transport') stream.noteFaultyAnswer();
      return { status: 461 };
    }
    if (this.host.sessions.size >= this.host.maxSessions) return { status: 453 };
    const wish = { stream, link: this.link, onClose: (closed: RtspSession) => this.#forget(closed) };
    let opened: OpenedSession;
    if (offer.kind === 'tcp') {
      const channels = this.#channelsFor(offer);
      opened = openInterleaved({ ...wish, offer }, channels);
      for (const channel of channels) this.#interleaved.set(channel, opened.session);
    } else {
      opened = await openUdp({ ...wish, offer });
    }
    const { session, transport } = opened;
    this.host.sessions.set(session.id, session);
    if (this.#socket.destroyed) session.close();
    const ssrc = session.ssrc.toString(16).toUpperCase().padStart(8, '0');
    return {
      status: 200,
      headers: {
        Transport: `${transport};ssrc=${ssrc};mode="PLAY"`,
        Session: `${session.id};timeout=${this.host.sessionTimeoutS}`,
      },
    };
  }

  /** The channels that the client asks for, or the next free ones. */
  #channelsFor(offer: TransportOffer & { kind: 'tcp' }): readonly [rtp: number, rtcp: number] {
    const { channels } = offer;
    if (channels && !channels.some((channel) => this.#interleaved.has(channel))) return channels;
    const free = this.#interleaved.size;
    return [free, free + 1];
  }

  #forget(session: RtspSession): void {
    this.host.sessions.delete(session.id);
    for (const [channel, other] of this.#interleaved) {
      if (other === session) this.#interleaved.delete(channel);
    }
  }

  async #play(stream: CameraStream, session: RtspSession, request: RtspRequest) {
    await stream.warmUp();
    const first = session.nextPacket();
    const base = baseUrl(request.uri).replace(new RegExp(`/${TRACK_CONTROL}$`), '');
    const time = first.timestamp === null ? '' : `;rtptime=${first.timestamp}`;
    return {
      response: {
        status: 200,
        headers: {
          Session: `${session.id};timeout=${this.host.sessionTimeoutS}`,
          Range: 'npt=now-',
          'RTP-Info': `url=${base}/${TRACK_CONTROL};seq=${first.sequence}${time}`,
        },
      },
      afterwards: () => session.play(),
    };
  }
}

function sessionHeader(session: RtspSession | undefined): Record<string, string> {
  return session ? { Session: session.id } : {};
}
