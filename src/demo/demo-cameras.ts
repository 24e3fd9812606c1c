import { fileURLToPath } from 'node:url';

/** A camera of the demo: which clip it plays, and what people are told it is. */
export interface DemoCamera {
  readonly id: string;
  readonly name: string;
  readonly file: string;
}

/** Clips that ship; what happens in each stands in footage/ATTRIBUTION.md. */
const FOOTAGE = [
  { id: 'entrance', name: 'Entrance' },
  { id: 'reception', name: 'Reception' },
  { id: 'corridor', name: 'Corridor' },
  { id: 'stairwell', name: 'Stairwell' },
] as const;
export type FootageName = (typeof FOOTAGE)[number]['id'];

export function footageFile(name: FootageName): string {
  // The build copies no clips: they are read from the source tree, above `dist/src/demo` as above `src/demo`.
  const isBuilt = /[\\/]dist[\\/]src[\\/]demo[\\/]/.test(fileURLToPath(import.meta.url));
  return fileURLToPath(
    new URL(`${isBuilt ? '../../../src/demo/' : './'}footage/${name}.mp4`, import.meta.url),
  );
}

/** `count` cameras that play the shipped clips in turn; `names` leaves some out. */
export function footageCameras(count: number, names?: readonly FootageName[]): DemoCamera[] {
  const chosen = FOOTAGE.filter(({ id }) => names === undefined || names.includes(id));
  return Array.from({ length: count }, (_, index) => {
    const { id, name } = chosen[index % chosen.length] as (typeof FOOTAGE)[number];
    const round = Math.floor(index / chosen.length);
    const suffix = round === 0 ? '' : `${round + 1}`;
    return {
      id: suffix === '' ? id : `${id}-${suffix}`,
      name: suffix === '' ? name : `${name} ${suffix}`,
      file: footageFile(id),
    };
  });
}
