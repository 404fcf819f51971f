/** An instant as DICOM writes it: DA and TM in local time, DT with the offset, and the offset itself (`+0100`). */
export interface DicomInstant {
  readonly date: string;
  readonly time: string;
  readonly dateTime: string;
  readonly offset: string;
}

/** @param timeZone IANA zone, or an offset as DICOM writes it (`+0100`) */
export function dicomInstant(at: Date, timeZone: string): DicomInstant {
  const isOffset = /^[+-]\d{4}$/.test(timeZone);
  const zone = isOffset ? `${timeZone.slice(0, 3)}:${timeZone.slice(3)}` : timeZone;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  });
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const { year, month, day, hour, minute, second, timeZoneName = '' } = parts;
  const date = `${year}${month}${day}`;
  const time = `${hour}${minute}${second}`;
  const offset = timeZoneName === 'GMT' ? '+0000' : timeZoneName.replace('GMT', '').replace(':', '');
  return { date, time, dateTime: `${date}${time}${offset}`, offset };
}
