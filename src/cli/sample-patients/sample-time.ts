/** Instants of sample data are milliseconds since 1970-01-01T00:00Z; a zone is a fixed offset in minutes. */

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** `2026-03-01T09:15:00+01:00`: FHIR dateTime and instant; offset 0 is written Z. */
export function formatInstant(atMs: number, offsetMinutes: number): string {
  const local = new Date(atMs + offsetMinutes * minuteMs).toISOString().slice(0, 19);
  if (offsetMinutes === 0) return `${local}Z`;
  const size = Math.abs(offsetMinutes);
  const hours = String(Math.floor(size / 60)).padStart(2, '0');
  const minutes = String(size % 60).padStart(2, '0');
  return `${local}${offsetMinutes < 0 ? '-' : '+'}${hours}:${minutes}`;
}

/** `2026-03-01`: the day it was in that zone. */
export function formatDay(atMs: number, offsetMinutes: number): string {
  return new Date(atMs + offsetMinutes * minuteMs).toISOString().slice(0, 10);
}

/** The first instant of the UTC day. */
export function startOfDay(atMs: number): number {
  return Math.floor(atMs / dayMs) * dayMs;
}
