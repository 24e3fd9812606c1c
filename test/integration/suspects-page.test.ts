import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import ffmpegInstaller from '@ffmpeg-installer/ffmpeg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM_PATH, launchBrowser } from '../../scripts/measure-boxes/canvas-reader.js';
import { footageFile } from '../../src/demo/demo-cameras.js';
import type { DetectionLine } from '../../src/offline/detection-line.js';
import { runDetect } from '../../src/offline/run-detect.js';
import { type CliResult, runCli } from '../support/run-cli.js';

/*
 * A frame of the demo's footage with two people, the left one masked, the right one not. The annotations call the left
 * one bare and leave the right one out; the page must offer to mend both.
 */
const MODEL = 'mask-mobilenetv2';
let root: string;
let scenes: string;
let left: DetectionLine['faces'][number]['box'];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'maskwatch-suspects-'));
  scenes = join(root, 'scenes', 'lobby');
  await mkdir(scenes, { recursive: true });
  const picture = join(scenes, 'two.png');
  const frame = ['-v', 'error', '-y', '-ss', '2', '-i', footageFile('entrance'), '-frames:v', '1', picture];
  await promisify(execFile)(ffmpegInstaller.path, frame);
  const lines: DetectionLine[] = [];
  await runDetect({
    ...{ paths: [picture], rateFps: 5, model: MODEL, engine: 'auto' as const },
    signal: new AbortController().signal,
    onLine: (line) => void lines.push(line as DetectionLine),
  });
  const faces = lines[0]!.faces.toSorted((a, b) => a.box.x - b.box.x);
  expect(faces.map(({ outcome }) => outcome)).toEqual(['with_mask', 'without_mask']);
  left = faces[0]!.box;
  await writeFile(
    join(scenes, 'annotations.jsonl'),
    `${JSON.stringify({ file: 'two.png', width: 1280, height: 720, faces: [{ ...left, label: 'without_mask' }] })}\n`,
  );
});
afterAll(() => rm(root, { recursive: true, force: true }));

function evaluate(...more: readonly string[]): Promise<CliResult> {
  return runCli(['evaluate', '--scenes', scenes, '--model', MODEL, ...more]);
}

/** What each button of the page would write, by card. */
function offeredLines(html: string): string[][] {
  const plain = (text: string) => text.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  return html
    .split('<article>')
    .slice(1)
    .map((card) => [...card.matchAll(/data-lines="([^"]*)"/g)].map(([, lines]) => plain(lines!)));
}

describe('the page of suspects', () => {
  it('shows the wrong label and the face without one, with lines that mend them', async () => {
    const out = join(root, 'report');
    const before = await evaluate('--out', out, '--json');
    expect(before.code).toBe(0);
    expect(JSON.parse(before.stdout)).toMatchObject({ count: 1, givenTheBox: { accuracy: 0 } });
    const html = await readFile(join(out, 'suspects.html'), 'utf8');
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    const [wrong, missing, ...others] = offeredLines(html);
    expect(others).toEqual([]);
    expect(JSON.parse(wrong![0]!)).toMatchObject({
      ...{ dataset: 'scenes/lobby', file: 'two.png', action: 'relabel', label: 'with_mask' },
      box: { x: expect.closeTo(left.x, 0), width: expect.closeTo(left.width, 0) },
    });
    expect(JSON.parse(missing![0]!)).toMatchObject({ action: 'add', label: 'without_mask' });
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('href="suspects.html"');

    const corrections = join(root, 'corrections.jsonl');
    await writeFile(corrections, `${wrong![0]}\n${missing![0]}\n`);
    const after = await evaluate('--corrections', corrections, '--json', '--out', out, '--suspects', '0');
    expect(JSON.parse(after.stdout)).toMatchObject({
      ...{ count: 2, givenTheBox: { accuracy: 1 }, detection: { unmatched: { count: 0 } } },
      corrections: { applied: { relabel: 1, add: 1 }, unfit: [] },
    });
  });

  it('says which line to replace where a face was corrected before', async () => {
    const out = join(root, 'again');
    const { stdout } = await evaluate(
      '--corrections',
      join(root, 'corrections.jsonl'),
      '--json',
      '--out',
      out,
    );
    expect(JSON.parse(stdout).count).toBe(2);
    const html = await readFile(join(out, 'suspects.html'), 'utf8');
    expect([...html.matchAll(/Corrected before, in (\S+):/g)].map(([, at]) => at).sort()).toEqual([
      'corrections.jsonl:1',
      'corrections.jsonl:2',
    ]);
  });

  it.skipIf(!existsSync(CHROMIUM_PATH))(
    `gathers what is chosen into a file, and keeps it over a reload (needs ${CHROMIUM_PATH})`,
    async () => {
      const out = join(root, 'browser');
      expect((await evaluate('--out', out)).code).toBe(0);
      const browser = await launchBrowser();
      try {
        const page = await browser.newPage();
        const complaints: string[] = [];
        page.on('pageerror', (error) => complaints.push(error.message));
        await page.goto(pathToFileURL(join(out, 'suspects.html')).href);
        await page.locator('article').nth(0).getByRole('button', { name: 'with mask', exact: true }).click();
        await page.locator('article').nth(1).getByRole('button', { name: 'no face' }).click();
        await page.locator('article').nth(1).getByRole('button', { name: 'without mask' }).click();
        await page.reload();
        expect(await page.locator('#count').textContent()).toBe('2 faces, 2 lines');
        const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()]);
        const saved = join(root, 'saved.jsonl');
        await download.saveAs(saved);
        const { stdout } = await evaluate('--corrections', saved, '--json');
        expect(JSON.parse(stdout)).toMatchObject({
          corrections: { applied: { relabel: 1, add: 1 }, unfit: [] },
          labels: { with_mask: { support: 1 }, without_mask: { support: 1 } },
        });
        expect(complaints).toEqual([]);
      } finally {
        await browser.close();
      }
    },
  );
});
