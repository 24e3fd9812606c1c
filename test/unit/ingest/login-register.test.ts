import { beforeEach, describe, expect, it } from 'vitest';
import { accountOf, LoginRegister, type LoginTurn } from '../../../src/ingest/login-register.js';
import { ManualClock } from '../../../src/lib/clock.js';

const never = () => new AbortController().signal;
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
/** The first wait with `random: () => 0`: half of four times the longest back-off. */
const FIRST_WAIT_MS = 60_000;

let clock: ManualClock;
let register: LoginRegister;
beforeEach(() => {
  clock = new ManualClock();
  const limits = { minMs: 500, maxMs: 30_000 };
  register = new LoginRegister({ clock, limits, deniedMaxMs: 1_800_000, random: () => 0 });
});

/** Channels of one recorder that ask for leave; what each was given, once it was. */
function channels(count: number, account: string | null = 'recorder') {
  const turns = new Map<string, LoginTurn | null>();
  const logins = Array.from({ length: count }, (_, i) => ({ cameraId: `channel-${i + 1}`, account }));
  const ask = (index: number) =>
    register.enter(logins[index]!, never()).then((turn) => turns.set(logins[index]!.cameraId, turn));
  const refuse = (name: string) => {
    turns.get(name)!.refused();
    turns.get(name)!.leave();
  };
  return { turns, logins, ask, refuse };
}

describe('LoginRegister', () => {
  it('lets two of sixteen channels try a wrong password, then nobody, then one, ever more rarely', async () => {
    const { turns, logins, ask, refuse } = channels(16);
    for (let i = 0; i < 16; i++) void ask(i);
    await settle();
    expect([...turns.keys()]).toEqual(['channel-1', 'channel-2']);
    refuse('channel-1');
    await settle();
    // What the second sees decides.
    expect(turns.size).toBe(2);
    refuse('channel-2');
    await settle();
    expect([...turns.values()].filter((turn) => turn === null)).toHaveLength(14);
    expect(register.waitMs(logins[5]!)).toBe(FIRST_WAIT_MS);

    let attempts = 2;
    for (let second = 0; second < 1800; second++) {
      clock.advance(1000);
      turns.clear();
      for (let i = 0; i < 16; i++) void ask(i);
      await settle();
      for (const [name, turn] of turns) {
        if (turn === null) continue;
        attempts += 1;
        refuse(name);
      }
    }
    // The least that chance allows between two of them; recorders lock after five to seven in half an hour.
    expect(attempts).toBe(5);
  });

  it('lets everybody in with the first picture', async () => {
    const { turns, ask } = channels(4);
    for (let i = 0; i < 4; i++) void ask(i);
    await settle();
    expect(turns.size).toBe(2);
    turns.get('channel-2')!.accepted();
    await settle();
    expect(turns.size).toBe(4);
    expect([...turns.values()]).not.toContain(null);
  });

  it('goes on to the next when one ends without a word on its password', async () => {
    const { turns, ask } = channels(3);
    for (let i = 0; i < 3; i++) void ask(i);
    await settle();
    turns.get('channel-1')!.leave();
    await settle();
    expect(turns.get('channel-3')).not.toBeNull();
    expect(turns.size).toBe(3);
  });

  it('lets one more try when one was refused and the other showed nothing', async () => {
    const { turns, ask, refuse } = channels(4);
    for (let i = 0; i < 4; i++) void ask(i);
    await settle();
    refuse('channel-1');
    turns.get('channel-2')!.leave();
    await settle();
    expect([...turns.keys()]).toEqual(['channel-1', 'channel-2', 'channel-3']);
    turns.get('channel-3')!.accepted();
    await settle();
    expect(turns.get('channel-4')).not.toBeNull();
  });

  it('refuses one channel alone while another shows pictures', async () => {
    const { turns, logins, ask, refuse } = channels(3);
    await ask(0);
    await ask(1);
    refuse('channel-1');
    turns.get('channel-2')!.accepted();
    await ask(2);
    expect(turns.get('channel-3')).not.toBeNull();
    expect(register.waitMs(logins[0]!)).toBe(FIRST_WAIT_MS);
    expect(register.waitMs(logins[2]!)).toBe(0);
    await ask(0);
    expect(turns.get('channel-1')).toBeNull();
  });

  it('keeps another password, another place and cameras without any apart', async () => {
    const { ask, refuse } = channels(2);
    for (const channel of [0, 1]) await ask(channel);
    for (const name of ['channel-1', 'channel-2']) refuse(name);
    for (const account of ['other', null])
      expect(await register.enter({ cameraId: `of ${account}`, account }, never())).not.toBeNull();
    expect(await register.enter({ cameraId: 'new', account: 'recorder' }, never())).toBeNull();
  });

  it('forgets who gives up waiting', async () => {
    const { turns, ask } = channels(2);
    await ask(0);
    await ask(1);
    const abort = new AbortController();
    const waiting = register.enter({ cameraId: 'third', account: 'recorder' }, abort.signal);
    abort.abort();
    await expect(waiting).rejects.toThrow();
    turns.get('channel-1')!.leave();
    turns.get('channel-1')!.leave();
    expect(await register.enter({ cameraId: 'fourth', account: 'recorder' }, never())).not.toBeNull();
  });
});

describe('accountOf', () => {
  it('is the same for the channels of one recorder and one login, wherever the login is written', () => {
    const account = accountOf({ url: 'rtsp://guard:pa%20ss@NVR:554/1' });
    expect(accountOf({ url: 'rtsp://nvr:554/2', username: 'guard', password: 'pa ss' })).toBe(account);
    expect(accountOf({ url: 'rtsp://nvr/3', username: 'guard', password: 'pa ss' })).toBe(account);
    expect(accountOf({ url: 'rtsp://nvr:554/2', username: 'guard', password: 'pass' })).not.toBe(account);
    expect(accountOf({ url: 'rtsp://nvr2:554/2', username: 'guard', password: 'pa ss' })).not.toBe(account);
  });

  it('is nothing where nobody logs in', () => {
    expect(accountOf({ url: 'rtsp://nvr/1' })).toBeNull();
    expect(accountOf({ url: 'file:/clip.mp4', username: 'guard' })).toBeNull();
  });
});
