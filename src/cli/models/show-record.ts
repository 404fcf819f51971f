import type { VersionRecord } from '../../governance/versions/version-record.ts';

/** A record as the server sends it: its time is text there. */
type ShownRecord = Omit<VersionRecord, 'recorded'> & { readonly recorded: Date | string };

const words: Readonly<Record<VersionRecord['action'], string>> = {
  begin: 'is the first default',
  promote: 'was made the default',
  'roll-back': 'was made the default again',
  disable: 'was switched off',
  enable: 'was switched on',
  'shadow-on': 'was made a shadow',
  'shadow-off': 'is a shadow no more',
};

/** One line: when, what, by whom and why. */
export function showRecord(record: ShownRecord): string {
  const { recorded, action, model, version, service, digest, from, requester, way, because } = record;
  const at = typeof recorded === 'string' ? recorded : recorded.toISOString();
  const what = `${version === undefined ? model : `${model}@${version}`}${service === undefined ? '' : ` service ${service}`}`;
  const isDefault = action === 'promote' || action === 'roll-back';
  const instead = isDefault && from !== undefined ? ` in the place of ${from.version} (${short(from.digest)})` : '';
  const digestText = digest === undefined ? '' : ` (${short(digest)})`;
  return `${at}  ${what}${digestText} ${words[action]}${instead}, by ${requester} (${way}): ${because}\n`;
}

/** Enough of a digest to tell two apart by eye; the record has all of it. */
function short(digest: string): string {
  return `digest ${digest.slice(0, 12)}…`;
}
