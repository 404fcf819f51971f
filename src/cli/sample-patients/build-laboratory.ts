import type { Observation } from '@medplum/fhirtypes';
import { buildObservation, quantity } from './build-observation.ts';
import { clamped } from './clamped.ts';
import type { Person } from './draw-person.ts';
import type { Visit } from './draw-visits.ts';
import { type LaboratoryConcept, type LaboratoryStyle, laboratoryCatalogue } from './laboratory-catalogue.ts';
import type { RandomStream } from './random-stream.ts';
import type { NextId } from './resource-identity.ts';
import { rounded } from './rounded.ts';
import { hourMs, minuteMs } from './sample-time.ts';
import { type LaboratoryResult, withDoubtfulResults } from './with-doubtful-results.ts';

/** The laboratory results of every visit that draws blood; some patients have none, some no lipids. */
export function buildLaboratory(
  person: Person,
  visits: readonly Visit[],
  random: RandomStream,
  nextId: NextId,
): Observation[] {
  const groups = drawGroups(person, random);
  const style = drawStyle(random);
  const earlierStyle = random.chance(0.12) ? drawStyle(random) : style;
  const dayOnly = random.chance(0.15) && !person.situations.has('showcase');
  const issuedInUtc = random.chance(0.3);
  const drawn = visits.filter((visit) => visit.laboratory);

  const results: LaboratoryResult[] = [];
  for (const [index, visit] of drawn.entries()) {
    const effectiveMs = visit.startMs + 15 * minuteMs;
    const issuedMs = effectiveMs + random.integer(12, 120) * 15 * minuteMs + (dayOnly ? 16 * hourMs : 0);
    for (const concept of laboratoryCatalogue) {
      if (!groups.has(concept.group)) continue;
      const report = concept.reports[index === drawn.length - 1 ? style : earlierStyle];
      const usual = clamped(random.normal(concept.usual(person), concept.spread), concept.low, concept.high);
      results.push({
        name: concept.name,
        content: {
          category: 'laboratory',
          code: report.code,
          effectiveMs,
          dayOnly,
          issuedMs,
          issuedInUtc,
          encounterId: visit.encounterId,
          quantity: quantity(rounded(usual * report.perUnit, report.decimals), report.unit),
        },
      });
    }
  }
  return withDoubtfulResults(person, results).map((content) => buildObservation(person, nextId, content));
}

function drawStyle(random: RandomStream): LaboratoryStyle {
  const style = random.uniform();
  if (style < 0.5) return 'conventional';
  return style < 0.75 ? 'conventional-blood' : 'si';
}

function drawGroups(person: Person, random: RandomStream): ReadonlySet<LaboratoryConcept['group']> {
  const [nothing, noLipids] = [random.chance(0.06), random.chance(0.06)];
  const diabetesTested = random.chance(person.diabetes ? 0.95 : 0.55);
  const liverTested = random.chance(0.75);
  const showcase = person.situations.has('showcase');
  if (person.situations.has('laboratory-absent')) return new Set();
  const complete = showcase || person.situations.size > 0;
  if (nothing && !complete) return new Set();
  const groups = new Set<LaboratoryConcept['group']>(['metabolic']);
  if (!noLipids || complete) groups.add('lipids');
  if (diabetesTested || showcase || person.situations.has('comparator-albumin')) groups.add('diabetes');
  if (liverTested || showcase) groups.add('liver');
  return groups;
}
