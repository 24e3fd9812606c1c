import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SILENT } from '../../src/setup/setup-parts.js';
import { removeTensorFlow, type SetupOptions, setupTensorFlow } from '../../src/setup/setup-tensorflow.js';
import type { TensorFlowVariant } from '../../src/setup/tensorflow-release.js';
import { isPlatformFit, MadeUpTensorFlow } from '../support/made-up-tensorflow.js';

const prove = vi.fn(async () => ({ tensorflow: '9.9.9', isGpu: false }));
let made: MadeUpTensorFlow;
beforeEach(() => {
  made = new MadeUpTensorFlow();
  prove.mockClear();
});
afterEach(() => made.close());

function setUp(options: SetupOptions = {}) {
  const { storeDir, packageDir, releases, env } = made;
  const wheels = made.wheels(options.variant);
  return setupTensorFlow({ variant: 'cpu', wheels, storeDir, packageDir, releases, env, prove, ...options });
}
const stored = () => (existsSync(made.storeDir) ? readdirSync(made.storeDir).sort() : []);
const linkedTo = () => basename(dirname(realpathSync(join(made.packageDir, 'lib'))));

function expectNothingLeft(): void {
  expect(stored()).toEqual([]);
  expect(made.links()).toEqual([]);
}

describe.skipIf(!isPlatformFit())('a wheel', () => {
  afterEach(() => {
    expect(prove).not.toHaveBeenCalled();
    expectNothingLeft();
  });
  const wheelName = (variant: TensorFlowVariant = 'cpu', index = 0) =>
    made.releases[variant].wheels[index]!.file;

  it('with another byte is refused by name', async () => {
    made.damage();
    await expect(setUp()).rejects.toMatchObject({
      code: 'SETUP_WRONG_HASH',
      message: expect.stringMatching(
        `^${wheelName()} has sha256 [0-9a-f]{64}, expected ${made.releases.cpu.wheels[0]!.sha256}$`,
      ),
      path: made.wheels()[0],
    });
  });

  it('that is shorter is refused by name', async () => {
    truncateSync(made.wheels('cuda')[1]!, 100);
    const { sizeBytes } = made.releases.cuda.wheels[1]!;
    await expect(setUp({ variant: 'cuda' })).rejects.toMatchObject({
      code: 'SETUP_WRONG_HASH',
      message: `${wheelName('cuda', 1)} has 100 bytes, expected ${sizeBytes}`,
    });
  });

  it('that is not given is named, one that is not asked for does not matter', async () => {
    const [main] = made.wheels('cuda');
    await expect(setUp({ variant: 'cuda', wheels: [...made.wheels('cpu'), main!] })).rejects.toMatchObject({
      code: 'SETUP_WHEEL_MISSING',
      message: `--wheel gives no ${wheelName('cuda', 1)}`,
      exitCode: 2,
    });
  });

  it('of which nothing is there is named', async () => {
    rmSync(made.wheels()[0]!);
    await expect(setUp()).rejects.toMatchObject({ message: expect.stringContaining(wheelName()) });
  });

  it('that is pinned but no archive is refused', async () => {
    const releases = made.pinned('no archive');
    await expect(setUp({ releases })).rejects.toMatchObject({
      code: 'SETUP_WHEEL_INVALID',
      path: made.wheels()[0],
    });
  });
});

describe.skipIf(!isPlatformFit())('a set-up that fails', () => {
  const compiler = (script: string) => {
    const path = join(made.folder, 'failing-compiler');
    writeFileSync(path, `#!/bin/sh\nif [ "$1" = --version ]; then echo one; exit; fi\n${script}\n`, {
      mode: 0o755,
    });
    return { env: { ...made.env, CXX: path } };
  };

  it('because there is no compiler does not even begin', async () => {
    const progress = { ...SILENT, begin: vi.fn() };
    const env = { ...made.env, CXX: join(made.folder, 'none') };
    await expect(setUp({ env, progress })).rejects.toMatchObject({
      code: 'SETUP_TOOL_MISSING',
      message: expect.stringContaining(env.CXX),
      exitCode: 3,
    });
    expect(progress.begin).not.toHaveBeenCalled();
    expect(existsSync(made.storeDir)).toBe(false);
    expect(made.links()).toEqual([]);
  });

  it('because there is no room does not begin either', async () => {
    const progress = { ...SILENT, begin: vi.fn() };
    const releases = { ...made.releases, cpu: { ...made.releases.cpu, unpackedBytes: 1e18 } };
    await expect(setUp({ releases, progress })).rejects.toMatchObject({ code: 'SETUP_NO_SPACE' });
    expect(progress.begin).not.toHaveBeenCalled();
    expectNothingLeft();
  });

  it('because the package lacks what it requires names that', async () => {
    made.writePackage({ dependencies: { 'made-up-requirement': '1' } });
    await expect(setUp()).rejects.toMatchObject({
      code: 'SETUP_PACKAGE_MISSING',
      message: expect.stringMatching(/requires made-up-requirement, which npm did not install/),
    });
    expectNothingLeft();
  });

  it.each([
    ['fails', 'echo "binding.cc:1: no good" >&2; exit 1', 'binding.cc:1: no good'],
    ['is killed, as for want of memory,', 'kill -KILL $$', 'ended by SIGKILL'],
  ])('because the compiler %s leaves nothing', async (_how, script, told) => {
    await expect(setUp(compiler(script))).rejects.toMatchObject({
      code: 'SETUP_BUILD_FAILED',
      message: expect.stringContaining(told),
    });
    expect(prove).not.toHaveBeenCalled();
    expectNothingLeft();
    expect(await setUp()).toMatchObject({ state: 'set-up' });
  });

  it('because the binding does not load leaves nothing', async () => {
    prove.mockRejectedValueOnce(new Error('it does not load'));
    await expect(setUp()).rejects.toThrow('it does not load');
    expectNothingLeft();
    expect(await setUp()).toMatchObject({ state: 'set-up', leftOversRemoved: 0 });
  });

  it.each(['building the binding', 'loading TensorFlow'])('stopped while %s leaves nothing', async (at) => {
    const abort = new AbortController();
    const phase = (label: string) => label === at && abort.abort(new Error('enough'));
    prove.mockImplementationOnce(() => Promise.reject(abort.signal.reason));
    const stopped = setUp({ signal: abort.signal, progress: { ...SILENT, phase } });
    await expect(stopped).rejects.toThrow('enough');
    expect(prove).toHaveBeenCalledTimes(at === 'loading TensorFlow' ? 1 : 0);
    prove.mockReset().mockResolvedValue({ tensorflow: '9.9.9', isGpu: false });
    expectNothingLeft();
  });

  it('stopped while a wheel is unpacked leaves nothing', async () => {
    const abort = new AbortController();
    const begin = (label: string) => label.startsWith('unpacking') && abort.abort(new Error('enough'));
    const progress = { ...SILENT, begin, phase: vi.fn() };
    await expect(setUp({ signal: abort.signal, progress })).rejects.toThrow('enough');
    // Not only when the next step begins.
    expect(progress.phase).not.toHaveBeenCalled();
    expectNothingLeft();
  });

  it('leaves another variant as it was: there and linked', async () => {
    await setUp();
    prove.mockRejectedValueOnce(new Error('no GPU'));
    await expect(setUp({ variant: 'cuda' })).rejects.toThrow('no GPU');
    expect(stored()).toEqual(['tensorflow-9.9.9-cpu']);
    expect(linkedTo()).toBe('tensorflow-9.9.9-cpu');
    expect(await setUp()).toMatchObject({ state: 'already-there' });
  });

  it('when it builds again by force leaves the build that was there, linked', async () => {
    await setUp();
    prove.mockRejectedValueOnce(new Error('it does not load'));
    await expect(setUp({ force: true })).rejects.toThrow('it does not load');
    expect(stored()).toEqual(['tensorflow-9.9.9-cpu']);
    expect(linkedTo()).toBe('tensorflow-9.9.9-cpu');
    expect(await setUp()).toMatchObject({ state: 'already-there' });
  });

  it('at linking a build again does not take it for good the next time', async () => {
    await setUp();
    await setUp({ variant: 'cuda' });
    prove.mockRejectedValueOnce(new Error('it does not load'));
    await expect(setUp()).rejects.toThrow('it does not load');
    expect(linkedTo()).toBe('tensorflow-9.9.9-cuda');
    expect(await setUp()).toMatchObject({ state: 'linked' });

    for (const name of made.links()) rmSync(join(made.packageDir, name));
    prove.mockRejectedValueOnce(new Error('it does not load'));
    await expect(setUp()).rejects.toThrow('it does not load');
    expect(made.links()).toEqual([]);
    expect(await setUp()).toMatchObject({ state: 'linked' });
  });
});

describe.skipIf(!isPlatformFit())('the folder of another set-up', () => {
  let other: ChildProcess;
  let folder: string;
  beforeEach(async () => {
    other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(other, 'spawn');
    folder = join(made.storeDir, `.building-${other.pid}`);
    mkdirSync(join(folder, 'deps'), { recursive: true });
  });
  const end = async () => {
    if (other.exitCode !== null || other.signalCode !== null) return;
    const gone = once(other, 'exit');
    other.kill('SIGKILL');
    await gone;
  };
  afterEach(end);

  it('that is alive is left alone', async () => {
    const busy = { code: 'SETUP_BUSY', message: expect.stringContaining(`${other.pid}`), path: folder };
    await expect(setUp()).rejects.toMatchObject(busy);
    await expect(removeTensorFlow(made)).rejects.toMatchObject(busy);
    expect(stored()).toEqual([basename(folder)]);
    expect(existsSync(join(folder, 'deps'))).toBe(true);
  });

  it('that is dead is removed by the next one', async () => {
    await end();
    expect(await setUp()).toMatchObject({ state: 'set-up', leftOversRemoved: 1 });
    expect(stored()).toEqual(['tensorflow-9.9.9-cpu']);
    expect(await setUp()).toMatchObject({ leftOversRemoved: 0 });
  });

  it('that is dead is removed with everything else', async () => {
    await end();
    // Killed after it got its name: without a marker.
    mkdirSync(join(made.storeDir, 'tensorflow-9.9.9-cuda'));
    await removeTensorFlow(made);
    expect(stored()).toEqual([]);
  });
});
