import { describe, expect, it } from 'vitest';
import { drawHeldOutPart } from '../../../../src/training/paper/held-out-part.js';
import {
  decayedRate,
  nextPlateau,
  nextStop,
  type PlateauState,
  type StopState,
} from '../../../../src/training/paper/schedule.js';
import { paper, paperLetter } from '../../../../src/training/recipes/paper.js';

describe('decayedRate', () => {
  it('falls by the number of steps', () => {
    expect(decayedRate(1e-4, 2e-6, 0)).toBe(1e-4);
    expect(decayedRate(1e-4, 0.5, 2)).toBeCloseTo(5e-5, 12);
  });
});

describe('nextPlateau', () => {
  const rules = { factor: 0.5, patienceEpochs: 2, minRate: 1e-5, minDelta: 1e-4 };
  const rates = (values: readonly number[], rate = 1e-4) => {
    let state: PlateauState = { best: null, wait: 0, rate };
    return values.map((value) => {
      state = nextPlateau(state, value, rules);
      return state.rate;
    });
  };

  it('halves after two epochs without a better value, and waits anew', () => {
    expect(rates([0.9, 0.9, 0.9, 0.9, 0.9])).toEqual([1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5]);
  });

  it('begins to count again after a better value; one that is hardly better is none', () => {
    expect(rates([0.9, 0.9, 0.91, 0.9, 0.91005])).toEqual([1e-4, 1e-4, 1e-4, 1e-4, 5e-5]);
  });

  it('does not go below the lowest rate', () => {
    expect(rates([0.9, 0.9, 0.9, 0.9, 0.9], 1.5e-5)).toEqual([1.5e-5, 1.5e-5, 1e-5, 1e-5, 1e-5]);
  });
});

describe('nextStop', () => {
  it('keeps the best epoch and stops after as many worse ones as it may wait', () => {
    let state: StopState = { best: null, bestEpoch: 0, wait: 0 };
    const steps = [0.5, 0.4, 0.4, 0.45, 0.39, 0.5, 0.5, 0.5].map((loss, i) => {
      const next = nextStop(state, loss, i + 1, 3);
      state = next.state;
      return `${next.isBest ? 'best' : ''}${next.isLast ? 'last' : ''}`;
    });
    expect(steps).toEqual(['best', 'best', '', '', 'best', '', '', 'last']);
    expect(state).toEqual({ best: 0.39, bestEpoch: 5, wait: 3 });
  });
});

describe('drawHeldOutPart', () => {
  const labels = Array.from({ length: 100 }, (_, i) => (i < 60 ? 0 : 1));

  it('takes the share of each label and leaves the rest', () => {
    const { train, heldOut } = drawHeldOutPart(labels, [...labels.keys()], 0.2, 1);
    expect(heldOut.filter((index) => labels[index] === 0)).toHaveLength(12);
    expect(heldOut.filter((index) => labels[index] === 1)).toHaveLength(8);
    expect([...train, ...heldOut].sort((a, b) => a - b)).toEqual([...labels.keys()]);
    expect(drawHeldOutPart(labels, [...labels.keys()], 0.2, 1).heldOut).toEqual(heldOut);
    expect(drawHeldOutPart(labels, [...labels.keys()], 0.2, 2).heldOut).not.toEqual(heldOut);
  });

  it('keeps twins together', () => {
    const groups = [...labels.keys()].map((index) => index - (index % 2));
    const { heldOut } = drawHeldOutPart(labels, groups, 0.2, 1);
    for (const index of heldOut) expect(heldOut).toContain(index ^ 1);
  });
});

describe('the recipe', () => {
  it('never halves the rate, and is the method to the letter otherwise', () => {
    const { name, description, optimisation, ...rest } = paper;
    const letter = { ...paperLetter, optimisation: { ...paperLetter.optimisation, plateau: null } };
    expect(letter).toEqual({ ...rest, optimisation, name: letter.name, description: letter.description });
    expect(name).toBe('paper');
    expect(description).toContain('never halved');
  });

  it("has the paper's numbers", () => {
    expect(paperLetter).toMatchObject({
      inputPx: 224,
      augmentation: {
        rotationDegrees: 60,
        zoom: [0.4, 1],
        rowShift: 0.3,
        columnShift: 0.3,
        shearDegrees: 0.15,
        flipChance: 0.5,
      },
      hiddenUnits: 128,
      dropout: 0.5,
      optimisation: {
        batchSize: 32,
        maxEpochs: 50,
        learningRate: 1e-4,
        decay: 2e-6,
        patienceEpochs: 7,
        plateau: { factor: 0.5, patienceEpochs: 2, minRate: 1e-5 },
      },
    });
  });
});
