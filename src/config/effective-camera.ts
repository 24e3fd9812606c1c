import { merge } from './overrides.js';
import type { AnalysisConfig, CameraConfig, PolicyConfig } from './schema.js';

/** A camera with everything that the top level says and it does not override. */
export type EffectiveCamera<C> = Omit<C, 'name' | 'analysis' | 'policy'> & {
  readonly name: string;
  readonly analysis: AnalysisConfig;
  readonly policy: PolicyConfig;
};

/** Merges key by key: a camera that sets `policy.graceSeconds` keeps the top level's other policy keys. */
export function effectiveCamera<C extends Pick<CameraConfig, 'id' | 'name' | 'analysis' | 'policy'>>(
  config: { readonly analysis: AnalysisConfig; readonly policy: PolicyConfig },
  camera: C,
): EffectiveCamera<C> {
  return {
    ...camera,
    name: camera.name ?? camera.id,
    analysis: merge(config.analysis, camera.analysis),
    policy: merge(config.policy, camera.policy),
  };
}
