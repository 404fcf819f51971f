/** What is shown of a run while it goes on: its body as `GET /runs/{id}` gives it. */
export interface ShownRun {
  readonly id: string;
  readonly state: string;
  readonly members?: number;
  readonly tally: { readonly scored: number; readonly abstained: number; readonly failed: number };
  readonly membersPerSecond?: number;
  readonly remainingSeconds?: number;
}

export interface RunProgress {
  show(run: ShownRun): void;
  /** Leaves the last state standing. */
  end(): void;
}

const width = 30;

/** A bar that is drawn over itself on a terminal; elsewhere a line for each tenth that is done. */
export function createRunProgress(out: { readonly isTTY?: boolean; write(text: string): unknown }): RunProgress {
  let shown = '';
  return {
    show(run) {
      const tenth = run.members === undefined ? run.state : `${run.state} ${Math.floor(doneShare(run) * 10)}`;
      if (out.isTTY) out.write(`\r\u001b[K${progressLine(run)}`);
      else if (tenth !== shown) out.write(`${progressLine(run)}\n`);
      shown = tenth;
    },
    end() {
      if (out.isTTY) out.write('\n');
    },
  };
}

/** `[#####.....] 420 of 1000 members, 42/s, 14 s left (running)` */
export function progressLine(run: ShownRun): string {
  if (run.members === undefined) return `reading the cohort (${run.state})`;
  const filled = Math.floor(doneShare(run) * width);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`;
  const pace = run.membersPerSecond === undefined ? '' : `, ${run.membersPerSecond.toFixed(0)}/s`;
  const left = run.remainingSeconds === undefined ? '' : `, ${Math.ceil(run.remainingSeconds)} s left`;
  return `${bar} ${doneOf(run)} of ${run.members} members${pace}${left} (${run.state})`;
}

function doneOf({ tally }: ShownRun): number {
  return tally.scored + tally.abstained + tally.failed;
}

/** 0..1; a run without members is done. */
function doneShare(run: ShownRun): number {
  return run.members === undefined || run.members === 0 ? 1 : Math.min(1, doneOf(run) / run.members);
}
