/**
 * How many patients a test compares that asks for all of them more than once: 400 on the embedded database, 200 of them when it
 * is repeated on PostgreSQL, or PATIENTS, which `npm run soak` sets.
 */
export function patientsOnSuite(): number {
  const text = process.env.PATIENTS ?? (process.env.TEST_DATABASE_URL === undefined ? '400' : '200');
  const patients = Number(text);
  if (!Number.isInteger(patients) || patients < 1)
    throw new Error(`PATIENTS is "${text}"; allowed is a whole number from 1`);
  return patients;
}
