import type { CameraState } from '../domain/camera.js';

export interface ReadinessInput {
  readonly isModelLoaded: boolean;
  /** Inference threads that take work now. */
  readonly workersReady: number;
  readonly isClosing: boolean;
  /** States of the cameras that are switched on by configuration. */
  readonly cameraStates: readonly CameraState[];
  /** Why the store takes nothing at the moment, in plain words; `null` while it does. */
  readonly storeFailure: string | null;
  /** Changes of episodes that wait to be stored. */
  readonly pendingEpisodeChanges: number;
}

export interface ReadinessReport {
  /** `degraded` still answers 200: cameras are watched, but something needs attention. */
  readonly status: 'ready' | 'degraded' | 'not_ready';
  readonly checks: {
    readonly model: { readonly ok: boolean; readonly detail: string };
    readonly cameras: {
      readonly ok: boolean;
      readonly detail: string;
      readonly configured: number;
      readonly live: number;
    };
    readonly store: { readonly ok: boolean; readonly detail: string; readonly pending: number };
  };
}

/**
 * Ready means: the model is loaded and somebody runs it, and at least one camera is live or none is configured (CONTRACTS.md).
 * A store that fails only degrades: operators are told of episodes all the same.
 */
export function assessReadiness(input: ReadinessInput): ReadinessReport {
  const configured = input.cameraStates.length;
  const live = input.cameraStates.filter((state) => state === 'live').length;
  const areCamerasOk = configured === 0 || live > 0;
  const isModelOk = input.isModelLoaded && input.workersReady > 0;
  const isReady = isModelOk && areCamerasOk && !input.isClosing;
  const isStoreOk = input.storeFailure === null;
  return {
    status: !isReady ? 'not_ready' : isStoreOk && live === configured ? 'ready' : 'degraded',
    checks: {
      model: {
        ok: isModelOk && !input.isClosing,
        detail: modelDetail(input),
      },
      cameras: {
        ok: areCamerasOk,
        detail: configured === 0 ? 'none configured' : `${live} of ${configured} live`,
        configured,
        live,
      },
      store: {
        ok: isStoreOk,
        detail: input.storeFailure ?? 'stores',
        pending: input.pendingEpisodeChanges,
      },
    },
  };
}

function modelDetail({ isClosing, isModelLoaded, workersReady }: ReadinessInput): string {
  if (isClosing) return 'stopping';
  if (!isModelLoaded) return 'not loaded yet';
  return workersReady > 0 ? 'loaded' : 'no inference worker is up';
}
