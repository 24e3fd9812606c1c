/**
 * Kills the owner of several cameras with SIGKILL at random moments, also while it starts, and counts the processes
 * that are left five seconds later. Half of the kills happen while the cameras' server is frozen (SIGSTOP), so that
 * ffmpeg has nothing to write and does not notice its closed pipe. Linux only (/proc).
 *
 *   npx tsx scripts/measure-orphans.ts [--kills 100] [--cameras 4] [--ffmpeg npm,/usr/bin/ffmpeg] [--owner service]
 *     [--keeper kernel|guardian] [--seed 1]
 *
 * --kills is the number for each ffmpeg; --owner is `service` or, with far less CPU, `cameras` (supervised cameras
 * without models); --keeper guardian hides setpriv from the owner, as on systems that have none.
 */
import { parseArgs } from 'node:util';
import { findFfmpeg } from '../src/ingest/ffmpeg-binary.js';
import { seededRandom } from '../src/lib/random.js';
import { CameraServers } from './measure-orphans/camera-servers.js';
import { openOwners } from './measure-orphans/owners.js';
import { type KillResult, killOnce, measureStart } from './measure-orphans/rounds.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    cameras: { type: 'string', default: '4' },
    ffmpeg: { type: 'string', default: 'npm,/usr/bin/ffmpeg' },
    owner: { type: 'string', default: 'service' },
    keeper: { type: 'string', default: 'kernel' },
    seed: { type: 'string', default: '1' },
  },
});
/** So many of the kills come before all cameras have their ffmpeg. */
const START_SHARE = 0.4;
/** The others within this time after. */
const RUNNING_MS = 3000;

const { owner, keeper } = values;
const kills = Number(values.kills);
if (
  (owner !== 'service' && owner !== 'cameras') ||
  (keeper !== 'kernel' && keeper !== 'guardian') ||
  !(kills > 0)
) {
  process.stderr.write(
    'usage: npx tsx scripts/measure-orphans.ts [--kills 100] [--owner service|cameras] [--keeper kernel|guardian]\n',
  );
  process.exitCode = 2;
} else await measure(owner, keeper);

async function measure(kind: 'service' | 'cameras', kept: 'kernel' | 'guardian'): Promise<void> {
  const { next: random } = seededRandom(Number(values.seed));
  await using servers = await CameraServers.open(Number(values.cameras));
  await using owners = await openOwners({ kind, keeper: kept });
  const rows: string[] = [];
  for (const name of values.ffmpeg.split(',')) {
    const binary = await findFfmpeg({ path: name === 'npm' ? undefined : name, env: {} });
    const startMs = await measureStart(owners, servers.flowing, binary.path);
    process.stderr.write(`${name}: all cameras have their ffmpeg after ${Math.round(startMs)} ms\n`);
    const pending: Promise<KillResult>[] = [];
    for (let index = 0; index < kills; index += 1) {
      const isFrozen = index % 2 === 1;
      const server = isFrozen ? await servers.takeFreezable() : servers.flowing;
      const killAtMs = random() < START_SHARE ? random() * startMs : startMs + random() * RUNNING_MS;
      const round = await killOnce(owners, {
        ...{ server, ffmpegPath: binary.path, killAtMs, isDuringStart: killAtMs < startMs },
        freezeAtMs: isFrozen ? random() * killAtMs : null,
      });
      // The next owner lives while the last one's five seconds pass.
      pending.push(round.result);
      if (isFrozen) servers.giveBack(server, round.result);
      if ((index + 1) % 10 === 0) process.stderr.write(`${name}: ${index + 1} of ${kills}\n`);
    }
    rows.push(row(name, binary.version, await Promise.all(pending)));
  }
  const heading = [
    ...['ffmpeg', 'owner', 'kept by', 'kills', 'during the start', 'server frozen'],
    ...['kills with ffmpegs running', 'ffmpegs killed', 'all gone after, median / longest', 'left after 5 s'],
  ];
  process.stdout.write(
    `| ${heading.join(' | ')} |\n|${heading.map(() => '---').join('|')}|\n${rows.join('\n')}\n`,
  );

  function row(name: string, version: string, results: readonly KillResult[]): string {
    const count = (isOne: (result: KillResult) => boolean) => results.filter(isOne).length;
    const withChildren = results.filter(({ running }) => running > 0);
    const goneMs = withChildren.map((result) => result.goneAfterMs ?? Infinity).sort((a, b) => a - b);
    const left = results.flatMap((result) => result.left);
    for (const command of left) process.stderr.write(`left: ${command}\n`);
    if (left.length > 0) process.exitCode = 1;
    const cells = [
      ...[`${name} (${version})`, kind, kept, results.length],
      ...[count(({ isDuringStart }) => isDuringStart), count(({ isFrozen }) => isFrozen)],
      ...[withChildren.length, withChildren.reduce((sum, { running }) => sum + running, 0)],
      `${goneMs[Math.floor(goneMs.length / 2)] ?? '–'} / ${goneMs.at(-1) ?? '–'} ms`,
      left.length,
    ];
    return `| ${cells.join(' | ')} |`;
  }
}
