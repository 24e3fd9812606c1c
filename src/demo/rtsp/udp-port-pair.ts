import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { AppError } from '../../lib/errors.js';

export interface UdpPortPair {
  /** On an even port (RFC 3550, 11). */
  readonly rtp: Socket;
  /** On the next port. */
  readonly rtcp: Socket;
  readonly rtpPort: number;
}

const ATTEMPTS = 64;

/**
 * Two bound sockets on an even port and the next one. The system chooses; what does not pair is tried again.
 * Throws `RTSP_NO_UDP_PORTS` when nothing pairs. The caller closes both.
 */
export async function openUdpPortPair(address: string): Promise<UdpPortPair> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const rtp = await bind(address, 0);
    const rtpPort = rtp?.address().port ?? 1;
    const rtcp = rtp && rtpPort % 2 === 0 ? await bind(address, rtpPort + 1) : null;
    if (rtp && rtcp) return { rtp, rtcp, rtpPort };
    rtp?.close();
  }
  throw new AppError('RTSP_NO_UDP_PORTS', 'no free pair of UDP ports was found', { retryable: true });
}

/** `null` where the port is taken. */
async function bind(address: string, port: number): Promise<Socket | null> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    const listening = once(socket, 'listening');
    socket.bind({ port, address, exclusive: true });
    await listening;
    return socket;
  } catch {
    socket.close();
    return null;
  }
}

/** Connects a bound socket, so that it hears only its client and learns when that one's port is closed. */
export async function connectUdp(socket: Socket, address: string, port: number): Promise<void> {
  const connected = once(socket, 'connect');
  socket.connect(port, address);
  await connected;
}
