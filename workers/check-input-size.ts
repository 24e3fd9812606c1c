import type { ModelManifest } from '../src/inference/manifest.js';
import { AppError } from '../src/lib/errors.js';

/**
 * A wrong size would fail each single task later. Throws `AppError` MODEL_UNSUPPORTED when a model does not take
 * pictures of `widthPx` × `heightPx`; `hint`: what to do about it.
 */
export function checkInputSize(
  { name, input }: ModelManifest,
  widthPx: number,
  heightPx: number,
  hint: string,
): void {
  const multipleOf = input.multipleOf ?? 1;
  const fits = (side: number, fixed: number | null) =>
    fixed === null ? side % multipleOf === 0 : side === fixed;
  if (fits(widthPx, input.widthPx) && fits(heightPx, input.heightPx)) return;
  const wanted = [input.widthPx, input.heightPx]
    .map((fixed) => fixed ?? `any multiple of ${multipleOf}`)
    .join(' × ');
  throw new AppError(
    'MODEL_UNSUPPORTED',
    `model ${name} takes ${wanted} pixels, not ${widthPx} × ${heightPx}`,
    { exitCode: 2, hint },
  );
}
