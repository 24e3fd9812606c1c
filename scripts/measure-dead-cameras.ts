// What a building of dead cameras costs, how fast a living one that drops out comes back past them, and how fast they
// do: `maskwatch serve` with so many cameras, most of them dead for a while (half refuse connections, half take them
// and never answer), then all alive again.
// npx tsx scripts/measure-dead-cameras.ts [--cameras 64] [--dead 56] [--minutes 10] [--json]
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/lib/clock.js';
import { ControlRoom } from '../test/support/control-room.js';
import { makeClip } from '../test/support/ingest-clips.js';
import { SwitchablePort } from '../test/support/switchable-port.js';
import { WatchedBuilding } from '../test/support/watched-building.js';

const { values } = parseArgs({
  options: {
    cameras: { type: 'string', default: '64' },
    dead: { type: 'string', default: '56' },
    minutes: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});
const [cameraCount, deadCount, minutes] = [values.cameras, values.dead, values.minutes].map(Number) as [
  number,
  number,
  number,
];
const aliveCount = cameraCount - deadCount;
const say = (line: string) => process.stderr.write(`${line}\n`);
const seconds = (s: number) => systemClock.sleep(s * 1000, new AbortController().signal);

/** CPU time of a process so far, s (proc(5): ticks of a hundredth). */
async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const folder = await mkdtemp(join(tmpdir(), 'maskwatch-dead-'));
const file = await makeClip(folder, { name: 'clip.mp4', width: 320, height: 180, seconds: 10, bFrames: 0 });
const ids = Array.from({ length: cameraCount }, (_, i) => `cam-${i + 1}`);
const alive = ids.slice(0, aliveCount);
const building = await WatchedBuilding.open({
  cameras: ids.map((id) => ({ id, name: id, file })),
  config: { analysis: { rateFps: 1, widthPx: 320, heightPx: 180 } },
});
const ports: SwitchablePort[] = [];
try {
  const { server } = building.simulated;
  for (const [index, id] of ids.slice(aliveCount).entries()) {
    const port = await SwitchablePort.open(server.port, index % 2 === 0 ? 'refused' : 'black_hole');
    ports.push(port);
    building.override(id, {
      // All of them show what the first eight show: what is measured is the watching, not the cameras.
      url: server
        .url(`/${ids[index % Math.max(1, aliveCount)]}`)
        .replace(`:${server.port}/`, `:${port.port}/`),
    });
  }
  const service = await building.startService();
  const room = await ControlRoom.enter(service.url, { cameras: 'all' });
  const statusOf = async () => {
    const reply = await room.socket.emitWithAck('subscribe', { cameras: 'all' });
    if (!reply.ok) throw new Error(reply.error.message);
    return reply.cameras;
  };
  const waitForLive = async (wanted: readonly string[]) => {
    for (;;) {
      const live = (await statusOf()).filter(({ state }) => state === 'live').map(({ cameraId }) => cameraId);
      if (wanted.every((id) => live.includes(id))) return;
      await seconds(0.25);
    }
  };
  const beganMs = performance.now();
  await waitForLive(alive);
  const firstLiveS = (performance.now() - beganMs) / 1000;
  say(`the ${aliveCount} living cameras are live after ${firstLiveS.toFixed(1)} s; waiting ${minutes} min`);
  // What happens at the start is not what goes on for hours.
  await seconds(20);
  const restartsOf = async () => (await statusOf()).reduce((sum, { restarts }) => sum + restarts, 0);
  const [cpuBefore, restartsBefore] = [await cpuSeconds(service.pid), await restartsOf()];
  const connectionsBefore = ports.reduce((sum, { connections }) => sum + connections, 0);
  await seconds(minutes * 60);
  const cpuPerMinute = ((await cpuSeconds(service.pid)) - cpuBefore) / minutes;
  const startsPerMinute = ((await restartsOf()) - restartsBefore) / minutes;
  const connectionsPerMinute =
    (ports.reduce((sum, { connections }) => sum + connections, 0) - connectionsBefore) / minutes;
  const disturbed = (await statusOf()).filter(
    ({ cameraId, restarts }) => alive.includes(cameraId) && restarts > 0,
  );
  const restartsOfFirst = async () => {
    const status = (await statusOf()).find(({ cameraId }) => cameraId === alive[0]);
    return status?.state === 'live' ? status.restarts : 0;
  };
  const [dropMs, before] = [performance.now(), await restartsOfFirst()];
  server.setFault(`/${alive[0]}`, { kind: 'drop' });
  while ((await restartsOfFirst()) <= before) await seconds(0.1);
  const droppedBackS = (performance.now() - dropMs) / 1000;
  say(`a living camera that dropped out is live again after ${droppedBackS.toFixed(1)} s`);
  say('the dead cameras come back');
  const backMs = performance.now();
  await Promise.all(ports.map((port) => port.become('through')));
  await waitForLive(ids);
  const recoveredS = (performance.now() - backMs) / 1000;
  room.socket.close();
  await service.stop();
  const result = {
    ...{ cameras: cameraCount, dead: deadCount, minutes, firstLiveS, startsPerMinute, connectionsPerMinute },
    ...{
      serviceCpuSecondsPerMinute: cpuPerMinute,
      livingDisturbed: disturbed.length,
      droppedBackS,
      allRecoveredS: recoveredS,
    },
  };
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else
    for (const [name, value] of Object.entries(result))
      process.stdout.write(`${name}: ${Number.isInteger(value) ? value : value.toFixed(2)}\n`);
} finally {
  await Promise.all(ports.map((port) => port.close()));
  await building.close();
  await rm(folder, { recursive: true, force: true });
}
