const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `fhirsight needs Node.js 22.18 or newer; this is ${process.version}. Start it with "npm start", or install Node.js 24 LTS.\n`,
  );
  process.exitCode = 1;
} else {
  // Only now: what is imported may use what an older Node.js does not have.
  const { runCommandLine } = await import('./cli/command-line.ts');
  process.exitCode = await runCommandLine(process.argv.slice(2));
}
