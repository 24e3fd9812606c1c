import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pathWithoutSetpriv } from '../../scripts/measure-orphans/owners.js';
import { RtspServer } from '../../src/demo/rtsp/server.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { endLeftovers, leftovers } from '../../src/ingest/leftovers.js';
import { ourselves } from '../../src/ingest/owner-mark.js';
import { procTable, psTable } from '../../src/ingest/process-table.js';
import { FreezableProxy } from '../support/frozen-proxy.js';
import { FFMPEGS, makeClip } from '../support/ingest-clips.js';
import { isRunning, OwnedCameras, stillRunning, untilIdle } from '../support/owned-cameras.js';

const isLinux = process.platform === 'linux';
const hasSetpriv = existsSync('/usr/bin/setpriv') || existsSync('/bin/setpriv');
const GONE_WITHIN_MS = 5000;

describe.skipIf(!isLinux)('no ffmpeg without its owner (looks into /proc: Linux only)', () => {
  let folder: string;
  let server: RtspServer;
  let proxy: FreezableProxy;
  let withoutSetpriv: string;
  const owners: OwnedCameras[] = [];
  const left = new Set<number>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'maskwatch-orphans-'));
    withoutSetpriv = await pathWithoutSetpriv(folder);
    const size = { width: 160, height: 96, bFrames: 0 };
    const clip = await makeClip(folder, { ...size, name: 'clip.mp4', seconds: 2 });
    const { path: ffmpegPath } = await findFfmpeg();
    const streams = ['/a', '/b', '/c'].map((path) => ({ path, file: clip }));
    server = await RtspServer.open({ ffmpegPath, streams });
    proxy = await FreezableProxy.open(server.port);
  });
  afterEach(async () => {
    proxy.thaw();
    for (const owner of owners.splice(0)) {
      await owner.kill();
      for (const pid of owner.started) left.add(pid);
    }
    // Where a test fails, nothing may stay.
    for (const pid of left) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    left.clear();
  });
  afterAll(async () => {
    await proxy.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const urls = () => ['a', 'b', 'c'].map((name) => `rtsp://127.0.0.1:${proxy.port}/${name}`);
  function own(env: Record<string, string | undefined> = {}): OwnedCameras {
    const owner = OwnedCameras.start(urls(), env);
    owners.push(owner);
    return owner;
  }

  const keepers = [
    { keeper: 'the kernel', env: () => ({}), isPresent: hasSetpriv },
    { keeper: 'a guardian', env: () => ({ PATH: withoutSetpriv }), isPresent: true },
  ];
  describe.each(keepers)('kept by $keeper', ({ keeper, env, isPresent }) => {
    describe.skipIf(!isPresent)(`kept by ${keeper} (needs setpriv where it is the kernel)`, () => {
      describe.each(FFMPEGS)('through the $name', ({ path, isPresent: isInstalled }) => {
        const owned = () => own({ FFMPEG_PATH: path, ...env() });

        it.skipIf(!isInstalled)('killed while pictures flow, and while the server is frozen', async () => {
          for (const isFrozen of [false, true]) {
            const owner = owned();
            await owner.until(({ withFrames }) => withFrames.length === 3);
            expect(owner.guardian === null).toBe(keeper === 'the kernel');
            if (isFrozen) {
              proxy.freeze();
              await untilIdle(owner.started);
            }
            expect(owner.started.filter(isRunning)).toHaveLength(3);
            await owner.kill();
            const watched = [...owner.started, ...(owner.guardian === null ? [] : [owner.guardian])];
            expect(await stillRunning(watched, GONE_WITHIN_MS)).toEqual([]);
          }
        });

        it.skipIf(!isInstalled)('killed at its very first child, the server being frozen', async () => {
          proxy.freeze();
          const owner = owned();
          await owner.until(({ started }) => started.length === 1);
          await owner.kill();
          // Those that the owner could not tell of any more are seen by the check at the end of the run.
          expect(await stillRunning(owner.started, GONE_WITHIN_MS)).toEqual([]);
        });
      });
    });
  });

  it('a crash inside native code ends them as well', async () => {
    const owner = own();
    await owner.until(({ withFrames }) => withFrames.length === 3);
    proxy.freeze();
    await untilIdle(owner.started);
    const exited = once(owner.process, 'exit');
    owner.process.kill('SIGSEGV');
    expect((await exited)[1]).toBe('SIGSEGV');
    expect(await stillRunning(owner.started, GONE_WITHIN_MS)).toEqual([]);
  });

  it('what ends a process group does not end the guardian', async () => {
    const owner = own({ PATH: withoutSetpriv });
    await owner.until(({ started }) => started.length > 0);
    const status = readOr(`/proc/${owner.guardian}/status`);
    // Signals 1 HUP, 2 INT, 3 QUIT and 15 TERM, one bit each (proc(5)).
    const ignored = Number(`0x${/^SigIgn:\s*(\w+)/m.exec(status)?.[1]}`);
    expect(ignored & 0x4007).toBe(0x4007);
    expect(groupOf(owner.guardian)).toBe(owner.guardian);
  });

  it('a guardian that was killed is replaced', async () => {
    const owner = own({ PATH: withoutSetpriv });
    await owner.until(({ withFrames }) => withFrames.length === 3);
    const first = owner.signalGuardian('SIGKILL');
    const second = await guardianOf(owner, first);
    proxy.freeze();
    await untilIdle(owner.started);
    await owner.kill();
    expect(await stillRunning([...owner.started, second], GONE_WITHIN_MS)).toEqual([]);
  });

  it('a guardian that reads ps ends what carries its mark, and nothing else', async () => {
    const { owner, marked, foreign, guardian } = await startGuarded();
    await killed(owner);
    expect(await stillRunning([marked, guardian], GONE_WITHIN_MS)).toEqual([]);
    expect(isRunning(foreign)).toBe(true);
  });

  it('what an earlier life left is ended at the next start; children of an owner that lives are not', async () => {
    const [gone, lives] = [own({ PATH: withoutSetpriv }), own({ PATH: withoutSetpriv })];
    await Promise.all([gone, lives].map((owner) => owner.until(({ withFrames }) => withFrames.length === 3)));
    proxy.freeze();
    await untilIdle([...gone.started, ...lives.started]);
    expect([...gone.started, ...lives.started].filter(isRunning)).toHaveLength(6);
    // Owner and guardian at once: only so is anything left.
    gone.signalGuardian('SIGKILL');
    await gone.kill();
    // Unless a service that starts in a test beside this one was quicker.
    await endLeftovers();
    expect(await stillRunning(gone.started, GONE_WITHIN_MS)).toEqual([]);
    expect(lives.started.filter(isRunning)).toHaveLength(3);
  });

  it('so it is where there is only ps', async () => {
    const [gone, lives] = await Promise.all([startGuarded(), startGuarded()]);
    process.kill(gone.guardian, 'SIGKILL');
    await killed(gone.owner);
    // Only these: on Linux ps tells starts that do not go with the marks of other processes of this machine.
    const ours = new Set([gone, lives].flatMap(({ owner, marked, other }) => [owner.pid, marked, other]));
    const all = async () => (await psTable.all()).filter(({ pid }) => ours.has(pid));
    // Whether the living ones still run says nothing: a service that starts beside this one reads /proc, where their
    // marks are wrong.
    const found = leftovers(await all(), await ourselves(), process.getuid?.() ?? -1).map(({ pid }) => pid);
    for (const pid of [lives.marked, lives.other]) expect(found).not.toContain(pid);
    await endLeftovers({ ...psTable, all });
    expect(await stillRunning([gone.marked, gone.other], GONE_WITHIN_MS)).toEqual([]);
    await killed(lives.owner);
  });

  async function startGuarded() {
    const script = fileURLToPath(new URL('../support/guardian-owner.ts', import.meta.url));
    const owner = spawn(process.execPath, ['--import', 'tsx', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as Record<'marked' | 'other' | 'foreign' | 'guardian', number>;
    for (const pid of [owner.pid, pids.marked, pids.other, pids.foreign]) if (pid) left.add(pid);
    return { owner, ...pids };
  }

  async function killed(owner: ChildProcess): Promise<void> {
    const exited = once(owner, 'exit');
    owner.kill('SIGKILL');
    await exited;
  }

  /** The living guardian of an owner, other than `before`. */
  async function guardianOf(owner: OwnedCameras, before: number): Promise<number> {
    for (;;) {
      const pids = await procTable.all();
      const found = pids.find(
        ({ pid, isZombie }) =>
          pid !== before && !isZombie && parentOf(pid) === owner.process.pid && isShell(pid),
      );
      if (found) return found.pid;
    }
  }
  const parentOf = (pid: number | null) => Number(statOf(pid)?.[1]);
  const groupOf = (pid: number | null) => Number(statOf(pid)?.[2]);
  const statOf = (pid: number | null) => readOr(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ');
  const isShell = (pid: number) => readOr(`/proc/${pid}/cmdline`).includes('maskwatch-guardian');
  const readOr = (path: string) => (existsSync(path) ? readFileSync(path, 'latin1') : '');
});
