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
  return `${head}${requirements.map(row).join('\n')}\n`;
}

function row({ id, says, notApplicable }: Requirement): string {
  const driven = allChecks.some(({ ids }) => ids.includes(id));
  const known = notApplicable === undefined ? (driven ? 'driven, tests' : 'tests') : `does not apply: ${notApplicable}`;
  return `| ${id} | ${says} | ${known} |`;
}
