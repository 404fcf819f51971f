import type { CdsHooksService } from '../cds-hooks-schema.ts';
import { repeated } from '../repeated.ts';

type Find = (path: string, message: string) => void;

/** Links that a client can open, a context for apps only (CDS-42), reasons told apart (CDS-41). */
export function checkLinks({ links = [], overrideReasons = [] }: CdsHooksService, find: Find): void {
  links.forEach(({ url, type, appContext }, index) => {
    const place = `/links/${index}`;
    if (!URL.canParse(url)) find(`${place}/url`, 'is no absolute URL');
    if (appContext !== undefined && type !== 'smart')
      find(`${place}/appContext`, 'is for links of type smart only: a page is told nothing');
  });
  if (links.filter(({ autolaunchable }) => autolaunchable === true).length > 1)
    find('/links', 'has several links that a client may open unasked; mark one at most');
  for (const code of repeated(overrideReasons.map((reason) => `${reason.system}|${reason.code}`)))
    find('/overrideReasons', `the reason ${code} is there twice`);
}
