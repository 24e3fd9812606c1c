import { existsSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CHROMIUM_PATH,
  drawnBox,
  launchBrowser,
  readFrames,
  shownFrameId,
  waitForFrameAfter,
} from '../../scripts/measure-boxes/canvas-reader.js';
import {
  centre,
  distanceFrom,
  nearest,
  quantile,
  trueFace,
  WALK_FRAMES,
  WALKERS,
} from '../../scripts/measure-boxes/corridor-walkers.js';
import { FootageTruth } from '../../scripts/measure-boxes/footage-truth.js';
import { footageCameras, footageFile } from '../../src/demo/demo-cameras.js';
import { TokenAuthority } from '../../src/http/auth.js';
import { buildPage } from '../support/built-page.js';
import { type RunningService, WatchedBuilding } from '../support/watched-building.js';

const FRAME = { width: 1280, height: 720 };

describe.skipIf(!existsSync(CHROMIUM_PATH))(`the page in a browser (needs ${CHROMIUM_PATH})`, () => {
  let building: WatchedBuilding;
  let service: RunningService;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complained of. */
  const complaints: string[] = [];

  beforeAll(async () => {
    await buildPage();
    building = await WatchedBuilding.open({
      cameras: footageCameras(4),
      config: {
        ingest: { stallTimeoutSeconds: 2, backoffMinSeconds: 0.05, backoffMaxSeconds: 0.4 },
        store: { path: ':memory:' },
      },
    });
    [service, browser] = await Promise.all([building.startService(), launchBrowser()]);
    context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
    page = await open();
  });
  afterAll(async () => {
    await browser?.close();
    await building?.close();
  });

  async function open(): Promise<Page> {
    const opened = await context.newPage();
    opened.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    opened.on('pageerror', (error) => complaints.push(error.message));
    await opened.addInitScript({
      content: `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        console.error('content security policy: ' + violatedDirective + ' ' + blockedURI));`,
    });
    await opened.goto(service.url);
    return opened;
  }

  const tile = (id: string) => page.locator(`[data-camera="${id}"]`);
  const chip = (id: string) => tile(id).locator('.chip');

  it('shows every camera live, with a picture', async () => {
    for (const [id, name] of Object.entries({
      ...{ entrance: 'Entrance', reception: 'Reception', corridor: 'Corridor', stairwell: 'Stairwell' },
    })) {
      await chip(id).getByText('Live').waitFor();
      expect(await tile(id).getByRole('heading').textContent()).toBe(name);
      const [frame] = await readFrames(page, id, 1);
      // Grey levels of a picture spread; a black or plain canvas has one.
      const { data, channels } = frame!.picture;
      const greys = new Set<number>();
      for (let at = 0; at < data.length; at += channels * 97) greys.add(data[at + 1]! >> 3);
      expect(greys.size).toBeGreaterThan(6);
    }
    expect(await page.getByRole('banner').or(page.locator('.top')).first().textContent()).toContain('4 of 4');
  });

  it('draws the boxes on the faces of the very frame that it shows, while people walk', async () => {
    const truth = await FootageTruth.open(footageFile('corridor'), building.ffmpegPath, WALK_FRAMES);
    const frames = (await readFrames(page, 'corridor', 30)).map((shown) => ({
      shown,
      ...truth.match(shown.picture),
    }));
    const faces = await truth.faces(frames.map(({ frame }) => frame));
    const fromTold: number[] = [];
    const fromFace: number[] = [];
    let boxCount = 0;
    for (const { shown, frame } of frames) {
      for (const face of shown.faces) {
        boxCount += 1;
        const drawn = drawnBox(shown, face, FRAME);
        if (drawn) fromTold.push(distanceFrom(centre(face.box), drawn));
      }
      for (const walker of WALKERS) {
        const real = trueFace(walker, frame, faces.get(frame) ?? []);
        const told = real && nearest(centre(real.box), shown.faces, real.box.width / 2);
        const drawn = told && drawnBox(shown, told, FRAME);
        if (drawn) fromFace.push(distanceFrom(centre(real.box), drawn));
      }
    }
    // A pixel of this canvas is nearly three of the frame.
    console.info(
      `drawn: ${fromTold.length} of ${boxCount}, off the told box by p95 ${quantile(fromTold, 0.95).toFixed(1)} px; ` +
        `${fromFace.length} off the face by median ${quantile(fromFace, 0.5).toFixed(1)}, p95 ${quantile(fromFace, 0.95).toFixed(1)} px of 1280`,
    );
    expect(boxCount).toBeGreaterThan(frames.length);
    expect(fromTold.length).toBeGreaterThan(0.9 * boxCount);
    expect(quantile(fromTold, 0.95)).toBeLessThan(6);
    expect(fromFace.length).toBeGreaterThan(frames.length / 2);
    expect(quantile(fromFace, 0.5)).toBeLessThan(8);
    expect(quantile(fromFace, 0.95)).toBeLessThan(16);
  });

  it('lists an episode; one operator’s verdict is seen by the other', async () => {
    const other = await open();
    const row = (where: Page) =>
      where.locator('.episode', { hasText: 'Reception' }).filter({ hasText: 'Mask worn incorrectly' }).last();
    await row(page).waitFor();
    await row(other).waitFor();
    await row(page).getByRole('button', { name: 'Acknowledge' }).click();
    await row(page).getByText('Acknowledged').waitFor();
    await row(other).getByText('Acknowledged').waitFor();
    expect(await row(other).getByRole('button').count()).toBe(0);
    await other.close();
  });

  it('names its tiles for those who cannot see them', async () => {
    const names = await page
      .getByRole('article')
      .evaluateAll((tiles) => tiles.map((element) => element.getAttribute('aria-label') ?? ''));
    expect(names).toHaveLength(4);
    for (const name of names) expect(name).toMatch(/^(Entrance|Reception|Corridor|Stairwell): Live, /);
    expect(await page.getByRole('region', { name: 'Episodes' }).count()).toBe(1);
    expect(await page.getByRole('region', { name: 'Cameras' }).count()).toBe(1);
  });

  it('fits a phone and a small screen without scrolling sideways', async () => {
    for (const viewport of [
      { width: 390, height: 844 },
      { width: 820, height: 1180 },
      { width: 1280, height: 720 },
    ]) {
      await page.setViewportSize(viewport);
      const [frame] = await readFrames(page, 'stairwell', 1);
      expect(frame?.picture.width).toBeGreaterThan(300);
      const width = await page.evaluate('document.documentElement.scrollWidth');
      expect(width).toBeLessThanOrEqual(viewport.width);
    }
  });

  it('tells on the tile that a camera is lost, and that it is back', async () => {
    building.simulated.server.freeze('/stairwell');
    await chip('stairwell')
      .getByText(/Stalled|Offline, retrying/)
      .waitFor();
    await tile('stairwell').getByText('The picture is old').waitFor();
    expect(await chip('corridor').textContent()).toBe('Live');
    building.simulated.server.resume('/stairwell');
    await chip('stairwell').getByText('Live').waitFor();
    await waitForFrameAfter(page, 'stairwell', await shownFrameId(page, 'stairwell'));
  });

  it('has nothing to complain of until here', () => {
    expect(complaints).toEqual([]);
  });

  it('says that it is not connected when the service is gone, and shows nothing as live', async () => {
    await service.stop('SIGKILL');
    await page.getByRole('alert').getByText('Not connected').waitFor();
    await page.locator('main.is-stale').waitFor();
    expect(await page.locator('.chip', { hasText: 'Live' }).count()).toBe(0);
  });

  it('shows new pictures once the service is back, which counts its frames anew', async () => {
    const shownBefore = await shownFrameId(page, 'corridor');
    expect(shownBefore).toBeGreaterThan(10);
    service = await building.startService(Number(new URL(service.url).port));
    await chip('corridor').getByText('Live').waitFor();
    // Lower than what stood there: a frame of the new process.
    await page.waitForFunction((before) => {
      const canvas = document.querySelector<HTMLCanvasElement>('[data-camera="corridor"] canvas');
      return Number(canvas?.dataset.frameId ?? before) < before;
    }, shownBefore);
    await waitForFrameAfter(page, 'corridor', await shownFrameId(page, 'corridor'));
    expect(await page.getByRole('alert').count()).toBe(0);
  });
});

describe.skipIf(!existsSync(CHROMIUM_PATH))(`the page of a guarded service (needs ${CHROMIUM_PATH})`, () => {
  it('asks for a token, again when it has expired, and shows the cameras that it allows', async () => {
    const secret = 'thirty-two characters at the least';
    await buildPage();
    const building = await WatchedBuilding.open({
      cameras: footageCameras(2, ['stairwell', 'corridor']),
      config: { server: { auth: { secret } }, store: { path: ':memory:' } },
    });
    const browser = await launchBrowser();
    try {
      const { url } = await building.startService();
      const page = await browser.newPage();
      await page.goto(url);
      const field = page.getByLabel(/access token/);
      await field.fill('not a token');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
      const authority = new TokenAuthority(secret);
      const grant = { subject: 'jo', cameras: ['stairwell'] };
      await field.fill(await authority.issue({ ...grant, expiresInSeconds: 2 }));
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').getByText('expired').waitFor();
      await field.fill(await authority.issue(grant));
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.locator('.chip').getByText('Live').waitFor();
      expect(await page.getByRole('article').count()).toBe(1);
      await readFrames(page, 'stairwell', 1);
    } finally {
      await browser.close();
      await building.close();
    }
  });
});
