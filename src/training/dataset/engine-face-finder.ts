import { FaceFinder as WorkerFaceFinder } from '../../../workers/face-finder.js';
import { readManifest } from '../../inference/manifest.js';
import { OnnxRuntimeEngine } from '../../inference/onnxruntime-engine.js';
import type { FaceFinder } from './face-finder.js';
import { toPixelBuffer } from './rgb-picture.js';

export interface EngineFaceFinderOptions {
  /** Folder of the detector's model. */
  readonly modelDir: string;
  /** Side of the square that pictures are brought to, pixels, a multiple of 32. */
  readonly sizePx: number;
  readonly scoreThreshold: number;
}

/**
 * The product's detector in this thread, without its worker pool: training needs it before there is a
 * classifier for the pool to load. Throws what the engine and the manifest throw.
 */
export async function openEngineFaceFinder(options: EngineFaceFinderOptions): Promise<FaceFinder> {
  const { modelDir, sizePx, scoreThreshold } = options;
  const manifest = await readManifest(modelDir);
  const engine = await OnnxRuntimeEngine.open({ threads: 2 });
  const finder = new WorkerFaceFinder(await engine.load(modelDir), manifest, sizePx, sizePx);
  return {
    id: `${manifest.name}-${manifest.forms.onnx.sha256.slice(0, 12)}-${sizePx}-${scoreThreshold}`,
    find: async (picture) => {
      const { faces } = await finder.detect({
        kind: 'detect',
        pixels: toPixelBuffer(picture),
        scoreThreshold,
      });
      return [...faces];
    },
    close: () => engine.close(),
  };
}
