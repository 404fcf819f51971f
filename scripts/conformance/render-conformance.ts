import { allRequirements } from '../../test/entrances/cds-hooks/requirements/all-requirements.ts';
import type { KnownRequirement } from '../../test/entrances/cds-hooks/requirements/requirement.ts';
import { allChecks } from './all-checks.ts';
import { type Requirement, requirements } from './requirements.ts';

const head = `# Conformance

What CDS Hooks 2.0.1, FHIR R4 (operations, REST, RiskAssessment, Observation, Device, Provenance, AuditEvent), HL7 AI
Transparency on FHIR and SMART Backend Services ask of this server, and how it is known that it does so. The numbers are
those of this project; the words are ours, the specifications decide.

\`npm run conformance\` starts the server with authentication, drives it as an EHR would, and prints for each number whether it
is met and by what that is known; with \`npm run conformance -- --base URL\` it drives another server (\`--help\` lists what can be
given: keys of a client, a FHIR server of its own, permission to write). It stores synthetic patients only, and at another server
nothing without \`--allow-writes\`.

*driven* stands for a check of that command, *tests* for tests of \`npm test\` that have the number in their names: each
number that applies has at least one. <!-- written by scripts/write-conformance.ts -->

| number | what is asked | how it is known |
|---|---|---|
`;

/** `docs/conformance.md`. */
export function renderConformance(): string {
  return `${head}${requirements.map(row).join('\n')}\n\n${sentences()}`;
}

/** How many of the sentences of CDS Hooks 2.0 are known by what. */
function sentences(): string {
  const count = (kind: KnownRequirement['kind']): number =>
    allRequirements.filter((known) => known.kind === kind).reduce((sum, { ids }) => sum + ids.length, 0);
  return `## CDS Hooks 2.0, sentence by sentence

Others have taken CDS Hooks 2.0 apart into ${allRequirements.reduce((sum, { ids }) => sum + ids.length, 0)} numbered requirements on services and on clients. \`test/entrances/cds-hooks/requirements/\`
says of each what is known of it, and a test reads the list itself: none is left out, and every test that is cited is there.

| what | requirements | where to look |
|---|---|---|
| on services, shown by tests | ${count('shown')} | \`discovery-and-data.ts\`, \`answers.ts\`, \`trust.ts\` |
| on services, options that are not taken | ${count('not-taken')} | \`untaken-options.ts\`: icons and topics, actions that change or remove, certificates of clients |
| on services, for people to agree on | ${count('agreed')} | [what to agree on with an EHR](cds-hooks.md#what-to-agree-on-with-an-ehr) |
| on clients; tests show what is done with who keeps to them, and who does not | ${count('answered')} | \`of-clients.ts\` |
| not ours: on clients, where no service can see them | ${count('not-ours')} | \`unseen-of-clients.ts\` |
`;
}

function row({ id, says, notApplicable }: Requirement): string {
  const driven = allChecks.some(({ ids }) => ids.includes(id));
  const known = notApplicable === undefined ? (driven ? 'driven, tests' : 'tests') : `does not apply: ${notApplicable}`;
  return `| ${id} | ${says} | ${known} |`;
}
