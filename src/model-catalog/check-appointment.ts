import type { AppointmentDefinition } from './appointment-schema.ts';

/** That each key of an appointment feature goes with its pick. */
export function checkAppointment(
  { pick, per, window, absent }: AppointmentDefinition,
  find: (path: string, message: string) => void,
): void {
  if (pick === 'lead-time' && per === undefined) find('/per', 'is needed by lead-time: the unit of time, such as d');
  if (pick !== 'lead-time' && per !== undefined) find('/per', `is for lead-time, not for ${pick}`);
  if (pick === 'no-shows' && window === undefined) find('/window', 'is needed by no-shows');
  if (pick !== 'no-shows' && window !== undefined) find('/window', `is for no-shows, not for ${pick}`);
  if (pick !== 'no-shows' && absent !== undefined) find('/absent', `is for no-shows, not for ${pick}`);
}
