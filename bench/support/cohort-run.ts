import { setTimeout as wait } from 'node:timers/promises';

export interface RunOptions {
  readonly model: string;
  readonly asOf: Date;
  readonly explain: boolean;
  /** As `POST /runs` takes it; absent: all patients. */
  readonly cohort?: object;
}

/** Makes a Group of patients in the server's own store. */
export async function putGroup(url: string, id: string, patients: readonly string[]): Promise<void> {
  const member = patients.map((patient) => ({ entity: { reference: `Patient/${patient}` } }));
  const response = await fetch(`${url}/fhir/R4/Group/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Group', id, type: 'person', actual: true, member }),
  });
  if (!response.ok) throw new Error(`PUT Group/${id} answered ${response.status}: ${await response.text()}`);
}

/** Starts a run over a cohort of the store. @returns its id */
export async function startRun(
  url: string,
  { model, asOf, explain, cohort = { all: true } }: RunOptions,
): Promise<string> {
  const response = await fetch(`${url}/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      cohort,
      asOf: asOf.toISOString(),
      explain,
    }),
  });
  const body = (await response.json()) as { id?: string };
  if (response.status !== 202 || body.id === undefined)
    throw new Error(`POST /runs answered ${response.status}: ${JSON.stringify(body)}`);
  return body.id;
}

/** Waits for the end of a run. Throws where it did not finish. */
export async function finishedRun(url: string, id: string): Promise<{ readonly seconds: number }> {
  while (true) {
    const run = (await (await fetch(`${url}/runs/${id}`)).json()) as {
      state: string;
      createdAt: string;
      finishedAt?: string;
    };
    if (run.state === 'finished' && run.finishedAt !== undefined) {
      return { seconds: (Date.parse(run.finishedAt) - Date.parse(run.createdAt)) / 1000 };
    }
    if (run.state === 'failed' || run.state === 'cancelled') throw new Error(`the run ${id} is ${run.state}`);
    await wait(200);
  }
}
