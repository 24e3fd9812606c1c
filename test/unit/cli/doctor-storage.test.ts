import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheFinding, setUpFinding } from '../../../src/cli/doctor/storage-findings.js';
import { BINDING_PACKAGE, TENSORFLOW_RELEASES } from '../../../src/setup/tensorflow-release.js';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'maskwatch-storage-'));
  file = join(folder, 'file');
  writeFileSync(file, '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the cache folder', () => {
  it('is there', () => {
    expect(cacheFinding(folder)).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(/^\/.*maskwatch-storage-\w+, \d+\.\d GB free$/),
    });
  });

  it('need not be there, and is not made', () => {
    const path = join(folder, 'a', 'b');
    expect(cacheFinding(path)).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('b (made when it is first needed), '),
    });
    expect(existsSync(join(folder, 'a'))).toBe(false);
  });

  it.each(['', 'below', 'below/further'])('cannot be (in) a file: %s', (below) => {
    expect(cacheFinding(join(file, below))).toMatchObject({
      state: 'absent',
      detail: expect.stringMatching(/file.* cannot be written to, .*(is no folder|ENOTDIR)/),
      remedy: expect.stringContaining('XDG_CACHE_HOME'),
    });
  });
});

describe('the set-up of native TensorFlow', () => {
  /** A build of ours for CPUs, as the set-up leaves it but for the files; returns its store. */
  function madeBuild(name: string): { storeDir: string; build: string } {
    const storeDir = join(folder, name);
    const build = join(storeDir, 'tensorflow-2.21.0-cpu');
    mkdirSync(join(build, 'lib'), { recursive: true });
    const marker = {
      ...{ formatVersion: 1, variant: 'cpu', tensorflow: '2.21.0', napiVersion: 8 },
      ...{ bindingPackage: BINDING_PACKAGE.version, compiler: 'g++', node: 'v20.20.2' },
      ...{ builtAt: '2026-11-25T00:00:00.000Z', diskBytes: 1.26e9, files: [] },
      wheels: TENSORFLOW_RELEASES.cpu.wheels.map(({ file, sizeBytes, sha256 }) => ({
        file,
        sizeBytes,
        sha256,
      })),
    };
    writeFileSync(join(build, 'setup.json'), JSON.stringify(marker));
    return { storeDir, build };
  }

  it('is told with its size where it is done, and looked at anew for another build', async () => {
    const { build } = madeBuild('linked');
    const packageDir = join(folder, 'package');
    mkdirSync(packageDir);
    symlinkSync(join(build, 'lib'), join(packageDir, 'lib'));
    expect(await setUpFinding('cpu', { packageDir })).toMatchObject({
      state: 'ok',
      detail: `done (cpu): 1.3 GB in ${build}`,
    });
    const storeDir = join(file, 'store');
    expect(await setUpFinding('cuda', { packageDir, storeDir })).toMatchObject({
      state: 'absent',
      detail: expect.stringContaining('not possible (cuda): '),
    });
  });

  it('is done, but for the link, where npm took the package away', async () => {
    const { storeDir, build } = madeBuild('unlinked');
    // Neither compiler nor pip is needed for a link.
    const place = { storeDir, packageDir: join(folder, 'none'), env: { PATH: folder } };
    expect(await setUpFinding('cpu', place)).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(
        /^done \(cpu\): 1\.3 GB in .*, not linked: npx maskwatch setup tensorflow /,
      ),
    });
    rmSync(join(build, 'setup.json'));
    expect((await setUpFinding('cpu', place)).state).toBe('absent');
  });

  it('names everything that is in its way, each with what mends it', async () => {
    const place = { storeDir: join(file, 'store'), packageDir: join(folder, 'none'), env: { PATH: folder } };
    const { state, detail, remedy } = await setUpFinding('cpu', place);
    expect(state).toBe('absent');
    expect(detail).toMatch(
      /there is no C\+\+ compiler.*; there is no Python 3 with pip.*; .*(ENOTDIR|no folder)/,
    );
    expect(remedy).toMatch(
      /apt-get install g\+\+.*; apt-get install python3-pip.*; .*MASKWATCH_TENSORFLOW_DIR/,
    );
    expect(existsSync(place.storeDir)).toBe(false);
  });

  it('looks for a compiler by the name in CXX', async () => {
    const env = { ...process.env, CXX: 'no-such-compiler' };
    const { detail } = await setUpFinding('cpu', { storeDir: folder, packageDir: join(folder, 'none'), env });
    expect(detail).toContain('no-such-compiler do not run');
  });
});
