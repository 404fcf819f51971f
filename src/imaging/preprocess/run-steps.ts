import type { PlannedStep, Slice } from './plan-steps.ts';

/** Runs planned steps over slices that come one by one. */
export interface StepRun {
  /** Takes one slice as far as it goes without the others: what a step makes smaller is not kept as it was. */
  add(slice: Slice): void;
  /** All of them to the end. */
  end(): Slice[];
}

export function runSteps(steps: readonly PlannedStep[]): StepRun {
  const meet = steps.findIndex(({ across }) => across !== undefined);
  const alone = meet === -1 ? steps.length : meet + 1;
  let slices: Slice[] = [];
  return {
    add(slice) {
      slices.push(steps.slice(0, alone).reduce(alongWith, slice));
    },
    end() {
      slices = steps[meet]?.across?.(slices) ?? slices;
      for (const step of steps.slice(alone)) {
        const within = slices.map((slice) => alongWith(slice, step));
        slices = step.across?.(within) ?? within;
      }
      return slices;
    },
  };
}

function alongWith(slice: Slice, step: PlannedStep): Slice {
  return { ...slice, plane: step.within(slice) };
}
