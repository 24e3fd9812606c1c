import { isLoopbackHost } from '../lib/loopback.js';
import { checkCameraUrl } from './camera-url.js';
import type { KeyPath, PlacedProblem } from './problems.js';
import type { Config } from './schema.js';

/*
 * Rules between keys. They look at the data as it was read, not at what the schema made of it, so that they
 * also speak when something else in the file is wrong; values of the wrong kind are the schema's to tell.
 */

/** Data as it was read: nothing is known of it. */
export type Loose = Readonly<Record<string, unknown>>;

export function checkRules(data: Loose, defaults: Config): PlacedProblem[] {
  const problems: PlacedProblem[] = [];
  const policy = { ...defaults.policy, ...record(data.policy) };
  checkPolicy(policy, ['policy'], problems, record(data.policy));
  checkDetection({ ...defaults.detection, ...record(data.detection) }, record(data.detection), problems);
  checkIngest({ ...defaults.ingest, ...record(data.ingest) }, record(data.ingest), problems);
  checkServer(record(data.server), problems);
  const cameras = list(data.cameras);
  checkUnique(cameras, ['cameras'], 'camera', problems);
  cameras.forEach((camera, index) => {
    const own = record(camera);
    checkCamera(own, ['cameras', index], problems);
    if (own.policy !== undefined)
      checkPolicy(
        { ...policy, ...record(own.policy) },
        ['cameras', index, 'policy'],
        problems,
        record(own.policy),
      );
  });
  return problems;
}

/** `own` are the keys that stand here; a rule that no key here breaks has been told at the top level. */
function checkPolicy(merged: Loose, path: KeyPath, problems: PlacedProblem[], own: Loose): void {
  const { openThreshold: open, closeThreshold: close } = merged;
  const isOwn = own.openThreshold !== undefined || own.closeThreshold !== undefined;
  if (isOwn && typeof open === 'number' && typeof close === 'number' && close >= open)
    problems.push({
      path: [...path, own.closeThreshold === undefined ? 'openThreshold' : 'closeThreshold'],
      message: `closeThreshold (${close}) must be below openThreshold (${open})`,
    });
  checkUnique(list(own.zones), [...path, 'zones'], 'zone', problems);
  list(own.zones).forEach((zone, index) => {
    if (areaOf(record(zone).polygon) === 0)
      problems.push({ path: [...path, 'zones', index, 'polygon'], message: 'its corners lie on one line' });
  });
  list(own.schedule).forEach((entry, index) => {
    const { from, to } = record(entry);
    if (typeof from === 'string' && from === to)
      problems.push({
        path: [...path, 'schedule', index, 'to'],
        message: 'is the same as `from`',
        hint: 'for a whole day use from: "00:00" and to: "24:00"',
      });
  });
}

function checkDetection(detection: Loose, own: Loose, problems: PlacedProblem[]): void {
  const { scoreThreshold: score, lowScoreThreshold: low } = detection;
  if (typeof score === 'number' && typeof low === 'number' && low > score)
    problems.push({
      path: ['detection', own.lowScoreThreshold === undefined ? 'scoreThreshold' : 'lowScoreThreshold'],
      message: `lowScoreThreshold (${low}) must not be above scoreThreshold (${score})`,
    });
}

function checkIngest(ingest: Loose, own: Loose, problems: PlacedProblem[]): void {
  const { backoffMinSeconds: least, backoffMaxSeconds: most } = ingest;
  if (typeof least === 'number' && typeof most === 'number' && least > most)
    problems.push({
      path: ['ingest', own.backoffMaxSeconds === undefined ? 'backoffMinSeconds' : 'backoffMaxSeconds'],
      message: `backoffMinSeconds (${least}) must not be above backoffMaxSeconds (${most})`,
    });
}

function checkServer(server: Loose, problems: PlacedProblem[]): void {
  if (typeof server.host === 'string' && !isLoopbackHost(server.host) && server.auth === undefined)
    problems.push({
      path: ['server', 'host'],
      message: `listening on ${server.host} needs server.auth: everybody in the network could see the cameras`,
      hint: 'set server.auth.secret, or use host: 127.0.0.1',
    });
}

function checkCamera(camera: Loose, path: KeyPath, problems: PlacedProblem[]): void {
  for (const key of ['url', 'subUrl']) {
    const url = camera[key];
    const fault = typeof url === 'string' && url !== '' ? checkCameraUrl(url) : undefined;
    if (fault) problems.push({ path: [...path, key], ...fault });
  }
  if (typeof camera.url !== 'string' || camera.url === '') return;
  const isFile = camera.url.startsWith('file:');
  if (camera.loop === true && !isFile)
    problems.push({ path: [...path, 'loop'], message: 'is for file: addresses only' });
  if (camera.password !== undefined && camera.username === undefined)
    problems.push({ path: [...path, 'password'], message: 'there is a password but no username' });
}

function checkUnique(
  items: readonly unknown[],
  path: KeyPath,
  what: string,
  problems: PlacedProblem[],
): void {
  const seen = new Map<string, number>();
  items.forEach((item, index) => {
    const { id } = record(item);
    if (typeof id !== 'string') return;
    const first = seen.get(id);
    if (first === undefined) seen.set(id, index);
    else
      problems.push({
        path: [...path, index, 'id'],
        message: `"${id}" is already the id of ${what} ${first + 1} of the list; ids are unique`,
      });
  });
}

/** Twice the area by the shoelace formula (Meister, 1769), exactly 0 for corners on a line of tenths too. */
function areaOf(polygon: unknown): number | undefined {
  const corners = list(polygon);
  if (corners.length < 3) return undefined;
  let sum = 0;
  for (const [index, corner] of corners.entries()) {
    const [x1, y1] = list(corner);
    const [x2, y2] = list(corners[(index + 1) % corners.length]);
    if (typeof x1 !== 'number' || typeof y1 !== 'number' || typeof x2 !== 'number' || typeof y2 !== 'number')
      return undefined;
    sum += x1 * y2 - x2 * y1;
  }
  return Math.abs(sum) < 1e-9 ? 0 : Math.abs(sum);
}

export function record(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
