import { type Box, boxCentre, type Point } from '../domain/box.js';

/**
 * Noise of the motion model. Lengths are in face sizes (√(width · height), about 0.16 m on a person), so that
 * one set of numbers serves near and far faces. Values chosen for walking people seen five times a second and
 * checked in test/unit/tracking; a person walks at about 9 and runs at about 20 face sizes a second.
 */
export interface MotionNoise {
  /** Standard deviation of a detected box's centre, face sizes. */
  readonly centre: number;
  /** Standard deviation of a new face's unknown speed, face sizes per second. */
  readonly initialSpeed: number;
  /** Growth of the speed's standard deviation, face sizes per second per √second. */
  readonly speedDrift: number;
  /** Standard deviation of a detected height, share of the height. */
  readonly height: number;
  /** Growth of the standard deviation of the height's rate of change, share per second per √second. */
  readonly heightDrift: number;
}

export const DEFAULT_MOTION_NOISE: MotionNoise = {
  centre: 0.1,
  initialSpeed: 6,
  speedDrift: 7,
  height: 0.1,
  heightDrift: 0.3,
};

/** How far a hidden face's height may be extrapolated from the last one seen. */
const MAX_HEIGHT_RATIO = 1.5;
/** Faster than this nobody moves, face sizes per second (about 5 m/s). */
const MAX_SPEED = 32;

/**
 * Kalman filter of one number that moves at a nearly constant rate: white noise acceleration, discretised
 * exactly for any time step (Bar-Shalom, Li & Kirubarajan 2001, §6.2.2).
 */
class RateFilter {
  rate = 0;
  #covariance = 0;
  #rateVariance: number;

  constructor(
    public value: number,
    public variance: number,
    rateVariance: number,
  ) {
    this.#rateVariance = rateVariance;
  }

  predict(seconds: number, density: number): void {
    this.value += this.rate * seconds;
    this.variance +=
      2 * seconds * this.#covariance + seconds ** 2 * this.#rateVariance + (density * seconds ** 3) / 3;
    this.#covariance += seconds * this.#rateVariance + (density * seconds ** 2) / 2;
    this.#rateVariance += density * seconds;
  }

  update(measured: number, noiseVariance: number): void {
    const total = this.variance + noiseVariance;
    const gain = this.variance / total;
    const rateGain = this.#covariance / total;
    const residual = measured - this.value;
    this.value += gain * residual;
    this.rate += rateGain * residual;
    this.#rateVariance -= rateGain * this.#covariance;
    this.#covariance *= 1 - gain;
    this.variance *= 1 - gain;
  }
}

/**
 * Where a face is and how it moves: centre x, centre y and height at nearly constant rates, aspect ratio
 * nearly constant, as in SORT (Bewley et al. 2016) and ByteTrack (Zhang et al. 2022), but for time steps of
 * any length. With their noise (independent per coordinate) the 8×8 filter falls apart exactly into one small
 * filter per coordinate, which is what is computed here. All lengths in pixels.
 */
export class BoxFilter {
  readonly #noise: MotionNoise;
  readonly #x: RateFilter;
  readonly #y: RateFilter;
  readonly #height: RateFilter;
  #aspect: number;
  #seenHeight: number;

  /** Starts at `box` (must have an area), at rest, with a speed that is unknown. */
  constructor(box: Box, noise: MotionNoise = DEFAULT_MOTION_NOISE) {
    const centre = boxCentre(box);
    const size = Math.sqrt(box.width * box.height);
    this.#noise = noise;
    this.#x = new RateFilter(centre.x, (noise.centre * size) ** 2, (noise.initialSpeed * size) ** 2);
    this.#y = new RateFilter(centre.y, (noise.centre * size) ** 2, (noise.initialSpeed * size) ** 2);
    this.#height = new RateFilter(box.height, (noise.height * box.height) ** 2, (0.5 * box.height) ** 2);
    this.#aspect = box.width / box.height;
    this.#seenHeight = box.height;
  }

  predict(seconds: number): void {
    if (!(seconds > 0)) return;
    const speedDensity = (this.#noise.speedDrift * this.size) ** 2;
    const maxRate = MAX_SPEED * this.size;
    for (const axis of [this.#x, this.#y]) {
      axis.rate = Math.min(Math.max(axis.rate, -maxRate), maxRate);
      axis.predict(seconds, speedDensity);
    }
    this.#height.predict(seconds, (this.#noise.heightDrift * this.#seenHeight) ** 2);
    const lowest = this.#seenHeight / MAX_HEIGHT_RATIO;
    const highest = this.#seenHeight * MAX_HEIGHT_RATIO;
    if (this.#height.value < lowest || this.#height.value > highest) {
      this.#height.value = Math.min(Math.max(this.#height.value, lowest), highest);
      this.#height.rate = 0;
    }
  }

  /** `noiseFactor` ≥ 1 trusts this box less (a half-hidden face). */
  update(box: Box, noiseFactor = 1): void {
    const centre = boxCentre(box);
    const centreVariance = this.#centreNoise(box) * noiseFactor ** 2;
    this.#x.update(centre.x, centreVariance);
    this.#y.update(centre.y, centreVariance);
    this.#height.update(box.height, (this.#noise.height * box.height * noiseFactor) ** 2);
    this.#aspect += (0.5 / noiseFactor) * (box.width / box.height - this.#aspect);
    this.#seenHeight = Math.max(1e-6, this.#height.value);
  }

  get box(): Box {
    const height = this.#height.value;
    const width = height * this.#aspect;
    return { x: this.#x.value - width / 2, y: this.#y.value - height / 2, width, height };
  }

  get centre(): Point {
    return { x: this.#x.value, y: this.#y.value };
  }

  /** Pixels per second. */
  get velocity(): Point {
    return { x: this.#x.rate, y: this.#y.rate };
  }

  /** √(width · height), pixels. */
  get size(): number {
    return this.#height.value * Math.sqrt(this.#aspect);
  }

  /**
   * How far `box` is from where the face was expected, and how wide the expectation was:
   * `distance2` is the squared Mahalanobis distance of the centre (χ² with 2 degrees of freedom when it is
   * the same face), `logArea` the logarithm of the expectation's determinant in face sizes.
   */
  surprise(box: Box): { distance2: number; logArea: number } {
    const centre = boxCentre(box);
    const noise = this.#centreNoise(box);
    const varianceX = this.#x.variance + noise;
    const varianceY = this.#y.variance + noise;
    return {
      distance2: (centre.x - this.#x.value) ** 2 / varianceX + (centre.y - this.#y.value) ** 2 / varianceY,
      logArea: Math.log((varianceX * varianceY) / this.size ** 4),
    };
  }

  #centreNoise(box: Box): number {
    return this.#noise.centre ** 2 * box.width * box.height;
  }
}
