import { isUcumUnit, sameConversion } from '../fhir/ucum.ts';
import { analyteConversion, analyteUnits } from './analyte-conversion.ts';
import { analytes } from './analytes.ts';
import { checkAddress } from './check-address.ts';
import { checkAnswer, checkCategory } from './check-answers.ts';
import { checkAppointment } from './check-appointment.ts';
import { checkDemographics } from './check-demographics.ts';
import { checkEvent } from './check-event.ts';
import { checkFirstOf } from './check-first-of.ts';
import { checkImage } from './check-image.ts';
import { checkInput } from './check-input.ts';
import { checkMedication } from './check-medication.ts';
import { checkMissing } from './check-missing.ts';
import { checkModelOutput } from './check-model-output.ts';
import { checkPopulation } from './check-population.ts';
import { checkQuestionnaire } from './check-questionnaire.ts';
import { checkSequence } from './check-sequence.ts';
import { checkText } from './check-text.ts';
import { checkValueForms } from './check-value-forms.ts';
import { compileExpression } from './expression.ts';
import type {
  DerivedDefinition,
  EncounterDefinition,
  Expression,
  FeatureDefinition,
  FeatureMap,
  ObservationDefinition,
  ProcedureDefinition,
  SequenceDefinition,
  ServiceRequestDefinition,
} from './feature-map-schema.ts';
import { readsOf } from './feature-reads.ts';
import type { Finding } from './finding.ts';
import { repeated } from './repeated.ts';
import { unitOf, valueKind, vocabularyOf } from './value-kind.ts';

const file = 'feature-map.json';

/** What the schema of a feature map cannot say: that its parts fit each other. */
export function checkFeatureMap(map: FeatureMap, outcomes: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  const find = (path: string, message: string): void => {
    findings.push({ file, path, message });
  };
  for (const [name, definition] of Object.entries(map.features)) {
    checkDefinition(definition, (path, message) => find(`/features/${name}${path}`, message));
    if (definition.kind === 'derived') {
      checkExpression(definition, map, (message) => find(`/features/${name}/expression`, message));
    }
    const made = readsOf(definition).find((other) => map.features[other]?.sensitive !== undefined);
    if (made !== undefined && definition.sensitive === undefined)
      find(`/features/${name}`, `is made of ${made}, which is sensitive, and would tell it: mark it as sensitive too`);
    if (definition.kind === 'first-of') {
      checkFirstOf(definition, map, (message) => find(`/features/${name}/of`, message));
    }
  }
  for (const cycle of cycles(map)) find(`/features/${cycle[0]}`, `is derived from itself: ${cycle.join(' -> ')}`);
  checkPanels(map, find);
  checkMissing(map, find);
  checkPopulation(map, outcomes, find);
  return findings;
}

function checkDefinition(definition: FeatureDefinition, find: (path: string, message: string) => void): void {
  if (
    'plausible' in definition &&
    definition.plausible !== undefined &&
    definition.plausible[0] >= definition.plausible[1]
  ) {
    find('/plausible', 'the smallest value must be below the largest');
  }
  if (definition.kind === 'demographics') checkDemographics(definition, find);
  if (definition.kind === 'address') checkAddress(definition, find);
  if (definition.kind === 'observation') checkPick(definition, find);
  if (definition.kind === 'sequence') checkSequence(definition, find);
  if (definition.kind === 'observation' || definition.kind === 'sequence') {
    if (definition.codes === undefined && definition.component === undefined)
      find('', 'needs codes, component or both');
    for (const conversion of definition.conversions ?? []) {
      if (conversion.from === definition.unit) find('/conversions', `converts ${conversion.from} to itself`);
    }
    checkAnalyte(definition, find);
    checkValueForms(definition, find);
    repeated((definition.conversions ?? []).map(({ from }) => from)).forEach((from) => {
      find('/conversions', `converts ${from} twice`);
    });
  }
  if (definition.kind === 'medication') checkMedication(definition, find);
  if (definition.kind === 'encounter') checkEncounter(definition, find);
  if (definition.kind === 'image') checkImage(definition, find);
  if (definition.kind === 'input') checkInput(definition, find);
  if (definition.kind === 'model') checkModelOutput(definition, find);
  if (definition.kind === 'service-request') checkServiceRequest(definition, find);
  if (definition.kind === 'appointment') checkAppointment(definition, find);
  if (definition.kind === 'questionnaire') checkQuestionnaire(definition, find);
  if (definition.kind === 'procedure') checkProcedure(definition, find);
  if (definition.kind === 'answer') checkAnswer(definition, find);
  if (definition.kind === 'category') checkCategory(definition, find);
  if (definition.kind === 'text') checkText(definition, find);
}

function checkExpression(definition: DerivedDefinition, map: FeatureMap, find: (message: string) => void): void {
  try {
    compileExpression(definition.expression);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    find(error.message);
    return;
  }
  const known = (name: string): FeatureDefinition | undefined => {
    const found = Object.hasOwn(map.features, name) ? map.features[name] : undefined;
    if (found === undefined) find(`reads the feature ${name}, which the map does not define`);
    return found;
  };
  const visit = (node: Expression): void => {
    if (typeof node === 'number') return;
    if (typeof node === 'string') {
      const feature = known(node);
      const kind = feature === undefined ? undefined : valueKind(feature);
      if (kind === 'code') find(`computes with ${node}, which is a code; use if-equal`);
      if (kind === 'text') find(`computes with ${node}, which is a text and no number`);
      if (kind === 'sequence') find(`computes with ${node}, which is a sequence and not one number`);
      if (kind === 'image') find(`computes with ${node}, which is an image and no number`);
      return;
    }
    const [operator, ...operands] = node;
    if (operator !== 'if-equal') {
      operands.forEach(visit);
      return;
    }
    const [name, code, ...branches] = operands;
    const feature = known(String(name));
    if (feature !== undefined && !vocabularyOf(feature).includes(String(code))) {
      find(`compares ${name} with ${code}, which is not in its vocabulary`);
    }
    branches.forEach(visit);
  };
  visit(definition.expression);
}

/** That each key of an encounter feature goes with its pick. */
function checkEncounter(definition: EncounterDefinition, find: (path: string, message: string) => void): void {
  const { pick, per, absent } = definition;
  const isStay = pick === 'length-of-stay' || pick === 'nights';
  const isCount = pick === 'count' || pick === 'nights';
  for (const key of ['class', 'window'] as const) {
    if (!isStay && definition[key] === undefined) find(`/${key}`, `is needed by ${pick}`);
  }
  for (const key of ['class', 'window', 'anchor', 'excludeIndex'] as const) {
    if (isStay && definition[key] !== undefined)
      find(`/${key}`, `is not for ${pick}, which is that of the encounter of the call`);
  }
  if (!isCount && per === undefined) find('/per', `is needed by ${pick}: the unit of time, such as d`);
  if (isCount && per !== undefined) find('/per', `is for time-since and length-of-stay, not for ${pick}`);
  if (absent !== undefined && pick !== 'count')
    find('/absent', `is for count, not for ${pick}: none is a reason there`);
}

function checkServiceRequest(
  definition: ServiceRequestDefinition,
  find: (path: string, message: string) => void,
): void {
  checkEvent(definition, find);
  if (definition.codes === undefined && definition.suspectText !== undefined)
    find('/suspectText', 'goes with codes: without them any service counts');
}

function checkProcedure(definition: ProcedureDefinition, find: (path: string, message: string) => void): void {
  checkEvent(definition, find);
  if (definition.codes === undefined && definition.suspectText !== undefined)
    find('/suspectText', 'goes with codes: without them any procedure counts');
}

const ofAll: readonly ObservationDefinition['pick'][] = ['min', 'max', 'mean', 'median', 'sum', 'count', 'slope'];

/** That each key of an observation goes with its pick. */
function checkPick(definition: ObservationDefinition, find: (path: string, message: string) => void): void {
  const { pick, per, atLeast, distinctBy, absent, together, anchor } = definition;
  const timed = pick === 'slope' || pick === 'time-since';
  if (timed && per === undefined) find('/per', `is needed by ${pick}: the unit of time, such as d`);
  if (!timed && per !== undefined) find('/per', `is for slope and time-since, not for ${pick}`);
  if (atLeast !== undefined && !ofAll.includes(pick)) find('/atLeast', `is for ${ofAll.join(', ')}, not for ${pick}`);
  if (distinctBy !== undefined && pick !== 'count') find('/distinctBy', `is for count, not for ${pick}`);
  if (absent !== undefined && pick !== 'count')
    find('/absent', `is for count, not for ${pick}: none is a reason there`);
  if (absent !== undefined && definition.where?.unknown === 'leave-out')
    find('/absent', 'does not go with where.unknown leave-out: what is left out may be what was to be counted');
  const unit = unitOf(definition);
  if (per !== undefined && isUcumUnit(definition.unit) && unit !== undefined && !isUcumUnit(unit))
    find('/per', `gives the unit ${unit}, which is no UCUM code`);
  if (anchor !== undefined && anchor !== 'as-of' && pick === 'time-since')
    find('/anchor', 'is not for time-since, which counts to as-of');
  if (together !== undefined && pick !== 'latest')
    find('/together', `is for latest, not for ${pick}: the newest panel is taken`);
}

/** That the unit is one of the analyte, and that the feature's own conversions say the same as the analyte's. */
function checkAnalyte(
  definition: ObservationDefinition | SequenceDefinition,
  find: (path: string, message: string) => void,
): void {
  const { analyte, unit, conversions = [] } = definition;
  if (analyte === undefined) return;
  const named = analyteUnits(analyte).join(', ');
  if ('refused' in analyteConversion(analyte, analytes[analyte].unit, unit))
    find('/unit', `${unit} cannot be reached from the units of ${analyte}: ${named}`);
  for (const { from, factor, offset = 0 } of conversions) {
    const published = analyteConversion(analyte, from, unit);
    if (!('refused' in published) && !sameConversion(published, { factor, offset }))
      find(
        '/conversions',
        `converts ${from} by ${factor}, ${offset}, but ${analyte} by ${published.factor}, ${published.offset}`,
      );
  }
}

/** That panels and the features in them name each other. */
function checkPanels(map: FeatureMap, find: (path: string, message: string) => void): void {
  const panels = map.panels ?? {};
  const members = new Map(Object.keys(panels).map((name) => [name, 0]));
  for (const [name, definition] of Object.entries(map.features)) {
    const panel = 'together' in definition ? definition.together : undefined;
    if (panel === undefined) continue;
    const count = members.get(panel);
    if (count === undefined)
      find(`/features/${name}/together`, `names the panel ${panel}, which the map does not define`);
    else members.set(panel, count + 1);
  }
  for (const [name, count] of members)
    if (count < 2) find(`/panels/${name}`, `has ${count} feature(s); a panel needs two that name it by 'together'`);
}

/** Each chain of derived features that leads back to its start, once. */
function cycles(map: FeatureMap): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start >= 0) {
      found.push([...path.slice(start), name]);
      return;
    }
    const definition = map.features[name];
    if (done.has(name) || definition === undefined) return;
    for (const read of readsOf(definition)) visit(read, [...path, name]);
    done.add(name);
  };
  for (const name of Object.keys(map.features)) visit(name, []);
  return found;
}
