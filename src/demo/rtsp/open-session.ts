import type { ClientLink } from './client-link.js';
import { FaultySink } from './faulty-sink.js';
import { InterleavedSink, type PacketSink, UdpSink } from './packet-sink.js';
import { RtspSession } from './session.js';
import type { CameraStream } from './stream.js';
import type { TransportOffer } from './transport-header.js';
import { connectUdp, openUdpPortPair } from './udp-port-pair.js';

export interface SessionRequest<Offer extends TransportOffer = TransportOffer> {
  readonly stream: CameraStream;
  readonly link: ClientLink;
  readonly offer: Offer;
  readonly onClose: (session: RtspSession) => void;
}

/** A session and the `Transport` header that tells it to the client. */
export interface OpenedSession {
  readonly session: RtspSession;
  readonly transport: string;
}

/** Packets travel on the client's own connection, on `channels`. */
export function openInterleaved(
  request: SessionRequest<TransportOffer & { kind: 'tcp' }>,
  [rtp, rtcp]: readonly [rtp: number, rtcp: number],
): OpenedSession {
  const session = makeSession(request, new InterleavedSink(request.link.output, [rtp, rtcp]));
  return { session, transport: `RTP/AVP/TCP;unicast;interleaved=${rtp}-${rtcp}` };
}

/** Packets go to the address that the request came from. Throws `RTSP_NO_UDP_PORTS`. */
export async function openUdp(
  request: SessionRequest<TransportOffer & { kind: 'udp' }>,
): Promise<OpenedSession> {
  const { output } = request.link;
  const pair = await openUdpPortPair(output.localAddress ?? '127.0.0.1');
  const [rtpPort, rtcpPort] = request.offer.clientPorts;
  const client = output.remoteAddress ?? '127.0.0.1';
  await Promise.all([connectUdp(pair.rtp, client, rtpPort), connectUdp(pair.rtcp, client, rtcpPort)]);
  const session = makeSession(request, new UdpSink(pair.rtp, pair.rtcp));
  pair.rtcp.on('message', () => session.keepAlive());
  // Only the RTP port's refusal ends a session: a client need not listen for RTCP.
  pair.rtp.on('error', () => session.close());
  pair.rtcp.on('error', () => undefined);
  return {
    session,
    transport: `RTP/AVP;unicast;client_port=${rtpPort}-${rtcpPort};server_port=${pair.rtpPort}-${pair.rtpPort + 1}`,
  };
}

function makeSession({ stream, link, offer, onClose }: SessionRequest, inner: PacketSink): RtspSession {
  const sink = new FaultySink({
    inner,
    fault: () => stream.fault,
    onChanged: () => stream.noteFaultyPacket(),
  });
  return new RtspSession(stream, offer.kind, sink, onClose, () => performance.now(), link.kind);
}
