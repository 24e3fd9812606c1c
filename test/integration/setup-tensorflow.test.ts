import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { removeTensorFlow, type SetupOptions, setupTensorFlow } from '../../src/setup/setup-tensorflow.js';
import { isPlatformFit, MadeUpTensorFlow } from '../support/made-up-tensorflow.js';

const runs = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;
const BINDING = 'lib/napi-v8/tfjs_binding.node';

let made: MadeUpTensorFlow;
afterEach(() => made.close());

/** Loads the linked binding in a process of its own, as the real proof does; it gives the library's version. */
const prove = vi.fn(async (packageDir: string) => {
  const script = 'process.stdout.write(require(process.argv[1]))';
  const version = execFileSync(process.execPath, ['-e', script, join(packageDir, BINDING)]);
  return { tensorflow: version.toString(), isGpu: false };
});
const trust = async () => ({ tensorflow: '9.9.9', isGpu: false });
beforeEach(() => void prove.mockClear());

function setUp(options: SetupOptions = {}) {
  const { storeDir, packageDir, releases, env } = made;
  return setupTensorFlow({
    ...{
      variant: 'cpu',
      wheels: made.wheels(options.variant),
      storeDir,
      packageDir,
      releases,
      env,
      prove: trust,
    },
    ...options,
  });
}
const stored = () => (existsSync(made.storeDir) ? readdirSync(made.storeDir).sort() : []);
const target = (name: string) => realpathSync(join(made.packageDir, name));

describe.skipIf(!isPlatformFit() || !runs('g++', '--version'))('set-up with a C++ compiler (g++)', () => {
  beforeEach(() => {
    made = new MadeUpTensorFlow(true);
  });
  const real = { prove, env: process.env };

  it('builds a binding that loads, and keeps nothing that is not needed', async () => {
    const phases: string[] = [];
    const say = (label: string) => void phases.push(label);
    const progress = { phase: say, begin: say, update: () => {}, end: () => {} };
    const report = await setUp({ ...real, progress });
    const folder = join(made.storeDir, 'tensorflow-9.9.9-cpu');
    expect(report).toMatchObject({
      state: 'set-up',
      variant: 'cpu',
      tensorflow: '9.9.9',
      leftOversRemoved: 0,
      folder,
    });
    expect(phases).toEqual([
      ...['checking TensorFlow', 'unpacking', 'building the binding', 'loading TensorFlow'],
    ]);
    expect(prove).toHaveBeenCalledWith(made.packageDir, undefined);
    expect([target('lib'), target('deps')]).toEqual(
      [join(folder, 'lib'), join(folder, 'deps')].map((path) => realpathSync(path)),
    );
    expect(stored()).toEqual(['tensorflow-9.9.9-cpu']);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
    expect(files.sort()).toEqual([
      'deps/lib/libtensorflow.so',
      'deps/lib/libtensorflow_cc.so.2',
      'deps/lib/libtensorflow_framework.so',
      'deps/lib/libtensorflow_framework.so.2',
      BINDING,
      'licenses/THIRD_PARTY_NOTICES.txt',
      'licenses/tensorflow_cpu-LICENSE',
      'setup.json',
    ]);
    const marker = JSON.parse(readFileSync(join(folder, 'setup.json'), 'utf8'));
    expect(marker).toMatchObject({
      variant: 'cpu',
      tensorflow: '9.9.9',
      wheels: [{ sha256: made.releases.cpu.wheels[0]!.sha256 }],
    });
    expect(marker.files.map(({ file }: { file: string }) => file)).toContain(BINDING);
  });

  it('says what the compiler says of sources that do not fit, and leaves nothing', async () => {
    made.writeSource('#error this does not compile\n');
    await expect(setUp(real)).rejects.toMatchObject({
      code: 'SETUP_BUILD_FAILED',
      message: expect.stringContaining('this does not compile'),
    });
    expect(prove).not.toHaveBeenCalled();
    expect(stored()).toEqual([]);
    expect(made.links()).toEqual([]);
  });
});

describe.skipIf(!isPlatformFit() || !runs('python3', '-m', 'pip', '--version'))(
  'wheels that pip fetches',
  () => {
    beforeEach(() => {
      made = new MadeUpTensorFlow();
    });
    const fetched = () => ({
      wheels: undefined,
      variant: 'cuda' as const,
      env: { ...made.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: made.wheelDir },
    });

    it('are those of the variant, all of them', async () => {
      expect(await setUp(fetched())).toMatchObject({ state: 'set-up', variant: 'cuda' });
      expect(readFileSync(join(made.packageDir, 'deps/lib/libcudart.so.12'), 'utf8')).toBe('made-up');
      expect(stored()).toEqual(['tensorflow-9.9.9-cuda']);
      expect(readdirSync(join(made.storeDir, 'tensorflow-9.9.9-cuda')).sort()).toEqual([
        ...['deps', 'lib', 'licenses', 'setup.json'],
      ]);
    });

    it('are refused when their hash is another', async () => {
      made.damage('cuda');
      await expect(setUp(fetched())).rejects.toMatchObject({
        code: 'SETUP_WRONG_HASH',
        message: expect.stringContaining('tensorflow'),
      });
      expect(stored()).toEqual([]);
    });

    it('may be nowhere', async () => {
      rmSync(made.wheels('cuda')[1]!);
      await expect(setUp(fetched())).rejects.toMatchObject({
        code: 'SETUP_DOWNLOAD_FAILED',
        message: expect.stringMatching(/does not have it[\s\S]*nvidia-cudart-cu12/),
        exitCode: 3,
      });
      expect(stored()).toEqual([]);
    });
  },
);

describe.skipIf(!isPlatformFit())('what is set up (stand-in for a compiler)', () => {
  beforeEach(async () => {
    made = new MadeUpTensorFlow();
    await setUp();
  });
  /** Nothing is to be built. */
  const noCompiler = () => ({ prove, env: { ...made.env, CXX: join(made.folder, 'none') } });
  const proven = () => prove.mockResolvedValueOnce({ tensorflow: '9.9.9', isGpu: false });

  it('is left alone by a second run', async () => {
    const again = await setUp(noCompiler());
    expect(again).toMatchObject({ state: 'already-there', tensorflow: '9.9.9' });
    expect(again.diskBytes).toBeGreaterThan(0);
    expect(prove).not.toHaveBeenCalled();
  });

  it('is linked again where npm has put the package anew, and loaded once', async () => {
    rmSync(join(made.packageDir, 'deps'));
    proven();
    expect(await setUp(noCompiler())).toMatchObject({ state: 'linked' });
    expect(prove).toHaveBeenCalledOnce();
    expect(target('deps')).toBe(realpathSync(join(made.storeDir, 'tensorflow-9.9.9-cpu', 'deps')));
    expect(await setUp(noCompiler())).toMatchObject({ state: 'already-there' });
  });

  it.each(['deps/lib/libtensorflow_cc.so.2', 'setup.json'])('is built again without %s', async (file) => {
    rmSync(join(made.storeDir, 'tensorflow-9.9.9-cpu', file));
    expect(await setUp()).toMatchObject({ state: 'set-up' });
    expect(await setUp()).toMatchObject({ state: 'already-there' });
  });

  it('is built again when that is forced', async () => {
    proven();
    expect(await setUp({ prove, force: true })).toMatchObject({ state: 'set-up' });
    expect(prove).toHaveBeenCalledOnce();
    expect(stored()).toEqual(['tensorflow-9.9.9-cpu']);
  });

  it('stays beside another variant, which the package is then linked to', async () => {
    expect(await setUp({ variant: 'cuda' })).toMatchObject({ state: 'set-up', variant: 'cuda' });
    expect(stored()).toEqual(['tensorflow-9.9.9-cpu', 'tensorflow-9.9.9-cuda']);
    expect(target('lib')).toContain('9.9.9-cuda');
    expect(await setUp()).toMatchObject({ state: 'linked', variant: 'cpu' });
    expect(target('lib')).toContain('9.9.9-cpu');
  });

  it('is taken away again, every variant of it', async () => {
    const cpu = await setUp();
    const cuda = await setUp({ variant: 'cuda' });
    const report = await removeTensorFlow(made);
    expect([...report.removed].sort()).toEqual([cpu.folder, cuda.folder]);
    // The marker is written after the sum.
    expect(report.freedBytes).toBeGreaterThan(cpu.diskBytes + cuda.diskBytes);
    expect(stored()).toEqual([]);
    expect(made.links()).toEqual([]);
    expect(lstatSync(join(made.packageDir, 'binding')).isDirectory()).toBe(true);
    expect(await removeTensorFlow(made)).toEqual({ removed: [], freedBytes: 0 });
    expect(await setUp()).toMatchObject({ state: 'set-up' });
  });
});
