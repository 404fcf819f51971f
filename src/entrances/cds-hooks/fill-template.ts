import { markdownText } from '../../fhir/markdown-text.ts';
import type { TemplateBlock, TemplateWord } from '../../model-catalog/cds-cards/card-template.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import { fhirDateTime } from '../../prediction/prediction-words.ts';
import type { HookService } from './hook-service.ts';

/** How a detail is written. */
export interface DetailOptions {
  /** IANA zone of the site. */
  readonly timeZone: string;
  /** File of the model's folder; absent: the words of the server. */
  readonly template?: string | undefined;
}

/** Parts of a detail by the name that a template has for them: text for words, Markdown for blocks; one that is empty has nothing to say. */
export type DetailParts = Readonly<Partial<Record<TemplateBlock, string>>>;

/**
 * The detail as the owner of the model words it. Every word that is filled in is escaped: it shows as it is, whatever a
 * record or a label holds.
 */
export function fillTemplate(
  { version, outcome }: HookService,
  file: string,
  {
    predicted,
    words,
    blocks,
    timeZone,
  }: {
    readonly predicted: Pick<PredictionOutcome, 'asOf'>;
    readonly words: Readonly<Partial<Record<TemplateWord, string>>>;
    readonly blocks: DetailParts;
    readonly timeZone: string;
  },
): string {
  const template = version.cardFiles.templates.get(file);
  if (template === undefined) throw new RangeError(`${version.key} was read without its template ${file}`);
  const said: Readonly<Partial<Record<TemplateWord, string>>> = {
    outcome: outcome.label,
    model: version.manifest.title,
    version: version.manifest.version,
    asOf: fhirDateTime(predicted.asOf, timeZone),
    ...words,
  };
  return template
    .map((part) => {
      if ('markdown' in part) return part.markdown;
      const text = 'word' in part ? said[part.word] : blocks[part.block];
      if (text === undefined) throw new RangeError(`${file} of ${version.key} names what its card does not have`);
      return 'word' in part ? markdownText(text) : text;
    })
    .join('')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}
