import { expect, it } from 'vitest';
import { InProcessEventBus } from '../../../src/publish/event-bus.js';

it('calls every handler in order, also after one that throws, and stops when disposed', () => {
  const errors: [string, unknown][] = [];
  const bus = new InProcessEventBus({ onHandlerError: (name, error) => errors.push([name, error]) });
  const seen: string[] = [];
  const handler = ({ cameraId }: { cameraId: string }) => {
    seen.push(cameraId);
  };
  bus.subscribe('cameraRemoved', () => {
    throw new Error('broken');
  });
  const first = bus.subscribe('cameraRemoved', handler);
  const second = bus.subscribe('cameraRemoved', handler);
  bus.publish('cameraRemoved', { cameraId: 'a' });
  expect(seen).toEqual(['a', 'a']);
  expect(errors).toMatchObject([['cameraRemoved', { message: 'broken' }]]);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  bus.publish('cameraRemoved', { cameraId: 'b' });
  expect(seen).toEqual(['a', 'a', 'b']);
  second[Symbol.dispose]();
  bus.publish('cameraRemoved', { cameraId: 'c' });
  expect(seen).toHaveLength(3);
});
