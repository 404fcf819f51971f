import { listed, markdownText } from '../../fhir/markdown-text.ts';
import { type CdsService, cdsServices } from '../../model-catalog/cds-services.ts';
import { hookVersions } from '../../model-catalog/hook-library.ts';
import type { Outcome } from '../../model-catalog/outcome-schema.ts';
import { patientKey, prefetchTemplates } from '../../model-catalog/prefetch-templates.ts';
import { readsImages } from '../../model-catalog/reads-images.ts';
import { recordQueries } from '../../model-catalog/record-queries.ts';
import { contextReader, type HookContext } from './context-reader.ts';

/** How many contributions a card shows where the manifest does not say. */
const usualContributions = 3;

/** A service as it is discovered and called. */
export interface HookService extends CdsService {
  /** What the card is about. */
  readonly outcome: Outcome;
  /** How many contributions it shows; with 0 none are computed. */
  readonly contributions: number;
  /** For how long the same card is not shown to the same user again; absent: it always is. */
  readonly heldForMs?: number;
  /** For how long an earlier result may be shown in the place of a late one; absent: it never is. */
  readonly reusedForMs?: number;
  /** Whether it shows what stands in reports of imaging studies, which are made without anybody waiting for them. */
  readonly showsReports: boolean;
  /** The cautions of the model, as a Markdown list. */
  readonly cautions: string;
  /** Reads the context of a call in whichever version of the hook it comes. */
  readonly readContext: (context: unknown) => HookContext;
  /** The newest version of the hook that it takes. */
  readonly hookVersion: string;
  /** None where the model reads images. */
  readonly prefetch: Readonly<Record<string, string>>;
  /** Resource type that answers each prefetch key. */
  readonly answerTypes: ReadonlyMap<string, string>;
}

/**
 * Every service of the catalog, as it stands.
 * @param optOutBy which records are searched for an opt-out
 * @param demonstrations whether those of demonstration models are offered too
 */
export function hookServices(
  catalog: Parameters<typeof cdsServices>[0],
  optOutBy: readonly ('consent' | 'group')[],
  demonstrations: boolean,
): HookService[] {
  return cdsServices(catalog, demonstrations).map((service) => {
    const { gathered, manifest } = service.version;
    // Images are opened by the word of no client: what it would send of such a patient is not asked for, and not taken.
    const isOfImages = readsImages(service.version);
    const answerTypes = new Map<string, string>(isOfImages ? [] : [[patientKey, 'Patient']]);
    if (!isOfImages)
      for (const { key, type } of recordQueries(gathered, new Date(0), optOutBy)) answerTypes.set(key, type);
    const outcome = manifest.outcomes.find(({ id }) => id === service.declared.outcome);
    if (outcome === undefined) throw new RangeError(`${service.id} is about no outcome of its model`);
    const versions = hookVersions(service.declared);
    const [newest] = versions;
    if (newest === undefined) throw new RangeError(`${service.id} is called at a hook that nothing defines`);
    return {
      ...service,
      outcome,
      ...heldFor(service.declared.repeats),
      ...(service.declared.reuse === undefined ? {} : { reusedForMs: durationMs(service.declared.reuse) }),
      contributions: service.declared.contributions ?? usualContributions,
      showsReports: isOfImages && manifest.report !== undefined,
      cautions: listed(manifest.cautions.map(markdownText)),
      readContext: contextReader(versions),
      hookVersion: newest.version,
      prefetch: isOfImages ? {} : prefetchTemplates(gathered, optOutBy),
      answerTypes,
    };
  });
}

/** The version of CDS Hooks that discovery speaks; calls are read in both. */
export type CdsHooksVersion = '2.0' | '3.0';

function heldFor(repeats: CdsService['declared']['repeats']): Pick<HookService, 'heldForMs'> {
  if (repeats === undefined) return {};
  return { heldForMs: durationMs(repeats.heldFor) };
}

/** Of `PT8H` or `PT30M`, as the schema has them. */
function durationMs(duration: string): number {
  return Number.parseInt(duration.slice(2), 10) * (duration.endsWith('H') ? 60 : 1) * 60_000;
}

/** The body of `GET /cds-services` (CDS-1 to CDS-5): `version` and `hookVersion` are of 3.0 alone. */
export function discovery(
  services: readonly HookService[],
  version: CdsHooksVersion,
): { readonly services: readonly object[] } {
  return {
    services: services
      .filter(({ switchedOff }) => !switchedOff)
      .map(({ id, hook, declared, prefetch, hookVersion }) => ({
        hook,
        ...(version === '3.0' ? { version: '3.0.0', hookVersion } : {}),
        title: declared.title,
        description: declared.description,
        id,
        ...(Object.keys(prefetch).length === 0 ? {} : { prefetch }),
        ...(declared.usageRequirements === undefined ? {} : { usageRequirements: declared.usageRequirements }),
      })),
  };
}
