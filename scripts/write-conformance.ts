/** Writes docs/conformance.md from the requirements and the checks of the driver. A test says whether it is up to date. */
import { writeFileSync } from 'node:fs';
import { renderConformance } from './conformance/render-conformance.ts';

writeFileSync(new URL('../docs/conformance.md', import.meta.url), renderConformance());
