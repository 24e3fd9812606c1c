import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FaultyCameras } from '../support/faulty-cameras.js';

/* What happens to connections and requests while a simulated camera is at fault. */

let cameras: FaultyCameras;
beforeAll(async () => {
  cameras = await FaultyCameras.open();
}, 60_000);
afterEach(() => cameras.heal());
afterAll(() => cameras?.[Symbol.asyncDispose]());

describe('connections', () => {
  it('are dropped once; whoever comes back is served', async () => {
    const { client } = await cameras.playing();
    cameras.server.setFault('/cam', { kind: 'drop' });
    await client.until(() => client.isClosed);
    await cameras.playing(30);
    expect(cameras.stats().fault).toEqual({ kind: 'drop' });
  });

  it('are reset when they ask', async () => {
    cameras.server.setFault('/cam', { kind: 'refuse' });
    const before = cameras.stats().faultyAnswers;
    const client = await cameras.connect();
    const [error] = await Promise.all([
      once(client.socket, 'error'),
      expect(client.request('DESCRIBE')).rejects.toThrow(/without a reply/),
    ]);
    expect(error[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(cameras.stats()).toMatchObject({ fault: { kind: 'refuse' }, faultyAnswers: before + 1 });
  });

  it('are taken and never answered', async () => {
    const { client: playing } = await cameras.playing(30);
    cameras.server.setFault('/cam', { kind: 'black_hole' });
    // What was sent before is still under way.
    await cameras.meanwhile();
    const received = playing.rtp.length;
    const before = cameras.stats().faultyAnswers;
    const client = await cameras.connect();
    const asked = expect(client.request('DESCRIBE')).rejects.toThrow(/without a reply/);
    await vi.waitFor(() => expect(cameras.stats().faultyAnswers).toBe(before + 1), 10_000);
    await cameras.meanwhile();
    expect(client.isClosed).toBe(false);
    expect(playing.rtp.length).toBe(received);
    // Only the end of the fault ends the connection.
    cameras.server.clearFault('/cam');
    await asked;
  });

  it('stay open on the camera’s side after the client has gone', async () => {
    const { client, session } = await cameras.playing(30);
    cameras.server.setFault('/cam', { kind: 'half_open' });
    const asked = client.request('GET_PARAMETER', { Session: session }).catch(() => 'no answer');
    await cameras.meanwhile();
    const count = client.rtp.length;
    await cameras.meanwhile();
    expect(client.rtp.length).toBe(count);
    expect(client.isClosed).toBe(false);
    client.close();
    expect(await asked).toBe('no answer');
    await cameras.meanwhile();
    expect(cameras.server.stats().sessions.some(({ path }) => path === '/cam')).toBe(true);
    cameras.server.clearFault('/cam');
    await vi.waitFor(() =>
      expect(cameras.server.stats().sessions.some(({ path }) => path === '/cam')).toBe(false),
    );
  });

  it('are refused by the system while the cable is out, and taken again on the same port', async () => {
    const { client } = await cameras.playing();
    await cameras.server.unplug();
    await client.until(() => client.isClosed);
    const socket = connect(cameras.server.port, '127.0.0.1');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(cameras.server.stats()).toMatchObject({ isUnplugged: true, connections: 0, sessions: [] });
    await cameras.server.plugIn();
    await cameras.playing(30);
    expect(cameras.server.stats().isUnplugged).toBe(false);
  });
});

describe('answers', () => {
  it('are 404, and 401 to the right password', async () => {
    cameras.server.setFault('/cam', { kind: 'not_found' });
    expect((await (await cameras.connect()).request('DESCRIBE')).status).toBe(404);
    const right = { Authorization: `Basic ${Buffer.from('u:p').toString('base64')}` };
    const client = await cameras.connect('/secret');
    expect((await client.request('DESCRIBE', right)).status).toBe(200);
    cameras.server.setFault('/secret', { kind: 'wrong_password' });
    const reply = await (await cameras.connect('/secret')).request('DESCRIBE', right);
    expect(reply.status).toBe(401);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    expect(cameras.stats('/secret').faultyAnswers).toBe(1);
  });

  it('are 461 to the transports that are not served; another one in the same offer is taken', async () => {
    const [tcp, udp] = ['RTP/AVP/TCP;unicast;interleaved=0-1', 'RTP/AVP;unicast;client_port=50000-50001'];
    const setUp = async (offer: string) =>
      (await cameras.connect()).request('SETUP', { Transport: offer }).then(({ status, headers }) => ({
        status,
        isUdp: headers.get('transport')?.includes('client_port') ?? false,
      }));
    cameras.server.setFault('/cam', { kind: 'no_transport', transports: ['tcp'] });
    const before = cameras.stats().faultyAnswers;
    expect(await setUp(tcp)).toEqual({ status: 461, isUdp: false });
    expect(await setUp(udp)).toEqual({ status: 200, isUdp: true });
    expect(await setUp(`${tcp}, ${udp}`)).toEqual({ status: 200, isUdp: true });
    cameras.server.setFault('/cam', { kind: 'no_transport', transports: ['udp', 'tcp'] });
    expect(await setUp(`${tcp}, ${udp}`)).toEqual({ status: 461, isUdp: false });
    expect(cameras.stats().faultyAnswers).toBe(before + 2);
  });
});
