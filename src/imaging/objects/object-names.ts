import { resultUid } from './result-uid.ts';

/** What an object of a result is there for; the objects of a report that are there for the same have a series of their own. */
export const objectRoles = ['secondary-capture', 'structured-report'] as const;
export type ObjectRole = (typeof objectRoles)[number];

/** An object of a report, by what it is there for: `secondary-capture/1`, `structured-report/2`. */
export interface NamedObject {
  readonly name: string;
  readonly sopInstanceUid: string;
}

/**
 * @param report what stays when a result is amended: its later versions are in the same series
 * @param study Study Instance UID: a series is of one study, also where its resource came to name another
 */
export function roleSeriesUid(report: string, study: string, role: ObjectRole): string {
  return resultUid(report, `${role} in ${study}`);
}

/**
 * A picture of a prediction. A version of the report that says the prediction again has the same one.
 * @param number from 1, among the pictures of the prediction
 */
export function captureOf(prediction: string, number: number): NamedObject {
  return named(prediction, 'secondary-capture', number);
}

/** The document of a version of a report: each says something of its own, also where two say the same prediction. */
export function documentOf(prediction: string, version: number): NamedObject {
  return named(prediction, 'structured-report', version);
}

function named(prediction: string, role: ObjectRole, number: number): NamedObject {
  const name = `${role}/${number}`;
  return { name, sopInstanceUid: resultUid(prediction, name) };
}
