import type { CdsHooksService } from '../cds-hooks-schema.ts';
import type { Finding } from '../finding.ts';
import type { Manifest } from '../manifest-schema.ts';
import { type CardKind, type CardTemplate, parseCardTemplate } from './card-template.ts';
import type { Draft } from './draft.ts';
import { draftParser } from './parse-draft.ts';

/** What the files below `cards/` hold, by the name of the file. */
export interface CardFiles {
  readonly templates: ReadonlyMap<string, CardTemplate>;
  readonly drafts: ReadonlyMap<string, Draft>;
}

const folder = 'cards/';

/** Reads every file that the services of a manifest name; one that is missing, wrong or named by none is a finding. */
export function readCardFiles(
  manifest: Manifest,
  files: ReadonlyMap<string, Uint8Array>,
  findings: Finding[],
): CardFiles {
  const templates = new Map<string, CardTemplate>();
  const drafts = new Map<string, Draft>();
  const kinds = new Map<string, CardKind>();
  const parseDraft = draftParser();
  (manifest.cdsHooks ?? []).forEach((service, index) => {
    const read = (path: string, file: string): Uint8Array | undefined => {
      const bytes = files.get(file);
      const place = `/cdsHooks/${index}${path}`;
      if (bytes === undefined)
        findings.push({ file: 'manifest.json', path: place, message: `names ${file}, which is not there` });
      return bytes;
    };
    for (const { path, file, kind } of templatesOf(service)) {
      const known = kinds.get(file);
      kinds.set(file, kind);
      if (known === kind) continue;
      const bytes = read(path, file);
      const template = bytes && parseCardTemplate(file, bytes, kind, findings);
      if (template !== undefined) templates.set(file, template);
    }
    for (const { path, file } of draftsOf(service)) {
      if (kinds.has(file)) continue;
      kinds.set(file, 'scored');
      const bytes = read(path, file);
      const draft = bytes && parseDraft(file, bytes, findings);
      if (draft !== undefined) drafts.set(file, draft);
    }
  });
  for (const file of files.keys())
    if (file.startsWith(folder) && !kinds.has(file))
      findings.push({ file, path: '', message: 'is used by no service of cdsHooks; name it there or remove it' });
  return { templates, drafts };
}

interface NamedFile {
  /** JSON Pointer below the service. */
  readonly path: string;
  readonly file: string;
}

function templatesOf({ cards }: CdsHooksService): (NamedFile & { readonly kind: CardKind })[] {
  const { abstained, notEligible } = cards.details ?? {};
  return [
    ...cards.scored.flatMap(({ detail }, at) =>
      detail === undefined ? [] : [{ path: `/cards/scored/${at}/detail`, file: detail, kind: 'scored' as const }],
    ),
    ...Object.entries({ abstained, notEligible }).flatMap(([name, file]) =>
      file === undefined ? [] : [{ path: `/cards/details/${name}`, file, kind: 'unscored' as const }],
    ),
  ];
}

function draftsOf({ suggestions }: CdsHooksService): NamedFile[] {
  return (suggestions?.choices ?? []).flatMap(({ actions = [] }, choice) =>
    actions.map(({ resource }, at) => ({
      path: `/suggestions/choices/${choice}/actions/${at}/resource`,
      file: resource,
    })),
  );
}
